#include "tests/demo/environment.hpp"

#include <future>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/api/read.hpp"
#include "operator/desired/desired.hpp"

namespace datasync::demo {
namespace {

using test::MariaDbOptions;
using test::MariaDbServer;

std::string flow_list(const std::vector<std::string>& names) {
  return fmt::format("[\"{}\"]", fmt::join(names, "\", \""));
}

api::DataSync find_resource(const std::filesystem::path& file, const std::string& name) {
  for (const auto& document : api::read_documents(test::read_file(file))) {
    if (!document.problems.empty()) throw Failed(file.string() + ": " + document.problems.front().text());
    if (document.resource.metadata.name == name) return document.resource;
  }
  throw Failed(fmt::format("{} has no resource {}", file.string(), name));
}

}  // namespace

Environment::Environment(const Console& console, bool keep_all) : keep(keep_all) {
  traffic.clients = 2;
  traffic.per_second = 400;
  traffic.orders = 20000;
  if (keep) dir.keep();
  start_servers(console);
  make_users();
  console.print("loading rows: accounts, orders with items, places");
  test::Workload::create(*primary, traffic);
  test::Workload::create_unguarded_audit(*bank, traffic.database);
  for (auto& replica : replicas) replica->wait_for_gtid(primary->gtid());
  workload = std::make_unique<test::Workload>(primary->port(), traffic);
  write_resources();
}

void Environment::start_servers(const Console& console) {
  console.print(
      fmt::format("starting MariaDB (primary, two replicas, two destinations) and Kafka in {}", dir.path().string()));
  const auto server = [this](const std::string& name, bool read_only) {
    return std::make_unique<MariaDbServer>(dir.path(),
                                           MariaDbOptions{.name = name, .read_only = read_only, .outlives = keep});
  };
  auto broker = std::async(std::launch::async, [this] {
    test::KafkaOptions options;
    options.outlives = keep;
    return std::make_unique<test::KafkaBroker>(dir.path(), options);
  });
  primary = server("primary", false);
  for (const char* name : {"replica-1", "replica-2"}) {
    replicas.push_back(server(name, true));
    replicas.back()->replicate_from(*primary);
  }
  bank = server("bank", false);
  shop = server("shop", false);
  kafka = broker.get();
}

void Environment::make_users() {
  primary->create_reader("reader", "reader-secret");
  bank->create_writer("writer", "bank-secret");
  shop->create_writer("writer", "shop-secret");
  test::write_credentials(secrets(), "reader", "reader", "reader-secret");
  test::write_credentials(secrets(), "bank-writer", "writer", "bank-secret");
  test::write_credentials(secrets(), "shop-writer", "writer", "shop-secret");
}

/// One capture that publishes two types; two tasks that store one each.
void Environment::write_resources() {
  const auto header = [](const std::string& name) {
    return fmt::format(
        "apiVersion: datasync.dev/v1alpha1\nkind: DataSync\nmetadata: {{name: {}, namespace: demo}}\nspec:\n", name);
  };
  const auto channel =
      fmt::format("  channel: {{bootstrapServers: \"{}\", topic: demo, replicationFactor: 1}}\n", kafka->bootstrap());
  std::string text = header("capture") + "  source:\n    replicas:\n";
  for (const auto& replica : replicas) text += fmt::format("      - {{host: 127.0.0.1, port: {}}}\n", replica->port());
  text += "    credentials: {secretName: reader}\n    types:\n";
  text += fmt::format("      - {{name: bank, tables: {}}}\n", flow_list(test::Workload::bank_tables(traffic.database)));
  text += fmt::format("      - {{name: shop, tables: {}}}\n", flow_list(test::Workload::shop_tables(traffic.database)));
  text += channel;
  for (const auto* server : {bank.get(), shop.get()}) {
    text += "---\n" + header(server->name()) + channel;
    text += fmt::format("  destination: {{host: 127.0.0.1, port: {}, credentials: {{secretName: {}-writer}}}}\n",
                        server->port(), server->name());
    text += fmt::format("  types: [{}]\n", server->name());
  }
  test::write_file(resource_file(), text);
}

test::Agent Environment::make_capture(const std::string& agent_name) const {
  return {dir.path(), agent_name,
          desired::capture_config(find_resource(resource_file(), "capture"), {.secrets_dir = secrets()})};
}

test::Agent Environment::make_apply(const std::string& agent_name, const std::string& resource_name) const {
  return {dir.path(), agent_name,
          desired::apply_config(find_resource(resource_file(), resource_name), {.secrets_dir = secrets()})};
}

test::MariaDbServer* Environment::replica_in_use() {
  for (auto& replica : replicas) {
    if (!replica->is_running()) continue;
    const auto readers = replica->number(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'reader' AND COMMAND = 'Binlog Dump'");
    if (readers > 0) return replica.get();
  }
  return nullptr;
}

test::CompareResult Environment::compare_all() {
  auto source = primary->connect();
  const auto compare_type = [&](MariaDbServer& destination, const std::vector<std::string>& tables) {
    auto session = destination.connect();
    std::vector<test::TablePair> pairs;
    for (const auto& table : tables) pairs.push_back({.source = table, .destination = ""});
    return test::compare(source, session, pairs);
  };
  auto result = compare_type(*bank, test::Workload::bank_tables(traffic.database));
  result.add(compare_type(*shop, test::Workload::shop_tables(traffic.database)));
  return result;
}

void Environment::leave() {
  std::vector<pid_t> pids;
  fmt::print("\nKept running in {}\n", dir.path().string());
  for (auto& agent : agents) {
    if (!agent->process().is_running()) continue;
    const auto port = std::stoi(test::read_file(agent->folder() / "port"));
    fmt::print("  {:10} curl http://127.0.0.1:{}/status\n", agent->name(), port);
    pids.push_back(agent->process().release());
  }
  std::vector<MariaDbServer*> servers{primary.get(), bank.get(), shop.get()};
  for (auto& replica : replicas) servers.push_back(replica.get());
  for (auto* server : servers) {
    fmt::print("  {:10} mariadb -h 127.0.0.1 -P {} -u root {}\n", server->name(), server->port(), traffic.database);
    pids.push_back(server->process().release());
  }
  fmt::print("  {:10} {}\n", "Kafka", kafka->bootstrap());
  pids.push_back(kafka->process().release());
  const auto script = dir.path() / "stop";
  test::write_file(script, fmt::format("#!/bin/sh\nkill -9 {} 2>/dev/null\nrm -rf '{}'\n", fmt::join(pids, " "),
                                       dir.path().string()));
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  fmt::print("End it with {}\n\n", script.string());
}

}  // namespace datasync::demo
