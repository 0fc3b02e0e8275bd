#include "tests/integration/e2e_fixture.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

constexpr const char* kLocal = "127.0.0.1";

std::string status_text(Agent& agent) {
  const auto status = agent.status();
  return status ? status->json : "no status";
}

}  // namespace

Fixture::Fixture(const FixtureOptions& options) : options_(options) {
  std::jthread broker([this] {  // takes as long as all the rest
    PortLease lease;
    auto kafka = options_.kafka;
    if (options_.proxies) {
      broker_proxy_ = std::make_unique<Proxy>(lease.port());
      kafka.advertised_port = broker_proxy_->port();
    }
    broker_ = std::make_unique<KafkaBroker>(folder(), kafka, lease);
  });
  source_ = std::make_unique<MariaDbServer>(
      folder(), MariaDbOptions{.name = "source", .extra_args = options_.source_args, .tls = options_.source_tls});
  destination_ =
      std::make_unique<MariaDbServer>(folder(), MariaDbOptions{.name = "destination", .tls = options_.destination_tls});
  for (int i = 0; i < options_.replicas; ++i) {
    replicas_.push_back(std::make_unique<MariaDbServer>(
        folder(), MariaDbOptions{
                      .name = fmt::format("replica{}", i + 1), .read_only = true, .extra_args = options_.source_args}));
    replicas_.back()->replicate_from(*source_);
    if (options_.proxies) replica_proxies_.push_back(std::make_unique<Proxy>(replicas_.back()->port()));
  }
  if (options_.proxies) destination_proxy_ = std::make_unique<Proxy>(destination_->port());
  source_->create_reader(kReader, kPassword, options_.source_tls ? Require::Tls : Require::Nothing);
  destination_->create_writer(kWriter, kPassword, options_.destination_tls ? Require::Tls : Require::Nothing);
  for (auto& replica : replicas_) replica->wait_for_gtid(source_->gtid());
  write_credentials(secrets(), kReader, kReader, kPassword);
  write_credentials(secrets(), kWriter, kWriter, kPassword);
}

Fixture::~Fixture() {
  end_agents();
}

config::Capture Fixture::capture_config(std::vector<config::Type> types, const std::string& topic) {
  config::Capture capture;
  capture.common.name = "test/" + topic;
  capture.common.secrets_dir = secrets();
  capture.common.channel = {.bootstrap_servers = broker_->bootstrap(),
                            .topic = topic,
                            .partitions = options_.partitions,
                            .replication_factor = 1};
  capture.credentials = {{kReader, "username"}, {kReader, "password"}};
  capture.allow_primary = replicas_.empty();
  if (replicas_.empty()) capture.replicas.push_back({kLocal, source_->port()});
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    capture.replicas.push_back({kLocal, options_.proxies ? replica_proxies_[i]->port() : replicas_[i]->port()});
  }
  capture.types = std::move(types);
  capture.heartbeat = milliseconds(200);
  capture.watchdog = milliseconds(1000);
  capture.checkpoint_every = milliseconds(200);
  return capture;
}

config::Apply Fixture::apply_config(const std::string& name, const std::string& topic) {
  config::Apply apply;
  apply.common.name = "test/" + name;
  apply.common.secrets_dir = secrets();
  apply.common.channel = {.bootstrap_servers = broker_->bootstrap(),
                          .topic = topic,
                          .partitions = options_.partitions,
                          .replication_factor = 1};
  apply.credentials = {{kWriter, "username"}, {kWriter, "password"}};
  apply.destination = {kLocal, options_.proxies ? destination_proxy_->port() : destination_->port()};
  return apply;
}

Agent& Fixture::start_capture(const config::Capture& capture) {
  captures_.push_back(std::make_unique<Agent>(folder(), fmt::format("capture{}", ++started_), capture));
  captures_.back()->start();
  return *captures_.back();
}

Agent& Fixture::start_apply(const config::Apply& apply) {
  applies_.push_back(std::make_unique<Agent>(folder(), fmt::format("apply{}", ++started_), apply));
  applies_.back()->start();
  return *applies_.back();
}

void Fixture::forget(const Agent& agent) {
  const auto is_it = [&](const auto& other) { return other.get() == &agent; };
  std::erase_if(captures_, is_it);
  std::erase_if(applies_, is_it);
}

void Fixture::end_agents() {
  captures_.clear();
  applies_.clear();
}

testing::AssertionResult Fixture::becomes_equal(const std::vector<TablePair>& tables, milliseconds limit) {
  return becomes_equal(tables, *destination_, limit);
}

testing::AssertionResult Fixture::becomes_equal(const std::vector<TablePair>& tables, MariaDbServer& destination,
                                                milliseconds limit) {
  return wait_equal(tables, destination, limit, true);
}

testing::AssertionResult Fixture::eventually_equal(const std::vector<TablePair>& tables, milliseconds limit) {
  return wait_equal(tables, *destination_, limit, false);
}

bool Fixture::any_stalled() {
  const auto stalled = [](const auto& agent) {
    const auto status = agent->status();
    return status && status->state == "Stalled";
  };
  return std::ranges::any_of(captures_, stalled) || std::ranges::any_of(applies_, stalled);
}

testing::AssertionResult Fixture::wait_equal(const std::vector<TablePair>& tables, MariaDbServer& destination,
                                             milliseconds limit, bool stall_ends) {
  constexpr int kStallsAllowed = 5;  // a stall may have been fixed a moment ago
  auto left = source_->connect();
  auto right = destination.connect();
  CompareResult result;
  int stalls = 0;
  const auto settled = [&] {
    result = compare(left, right, tables);
    if (result.equal()) return true;
    if (stall_ends && any_stalled()) ++stalls;
    return stalls > kStallsAllowed;
  };
  if (eventually(settled, limit) && result.equal()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << result.text() << "\n" << diagnostics();
}

testing::AssertionResult Fixture::eventually_value(MariaDbServer& server, const std::string& sql,
                                                   const std::string& value, milliseconds limit) {
  std::string last;
  const auto asked = [&] {
    try {
      last = server.value(sql);
    } catch (const SqlError& error) {
      last = error.what();
    }
    return last == value;
  };
  if (eventually(asked, limit)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << sql << " gives " << last << ", not " << value << "\n" << diagnostics();
}

testing::AssertionResult Fixture::becomes(Agent& agent, const std::string& state, const std::string& reason,
                                          milliseconds limit) {
  std::string last;
  const auto there = [&] {
    const auto status = agent.status();
    if (!status) return false;
    last = status->json;
    return status->state == state && (reason.empty() || status->reason == reason);
  };
  if (eventually(there, limit)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << agent.name() << " is not " << state << " " << reason << " but " << last << "\n"
                                     << diagnostics();
}

testing::AssertionResult Fixture::eventually_reason(Agent& agent, const std::string& reason, milliseconds limit) {
  const auto reported = [&] {
    const auto status = agent.status();
    return status && status->reason == reason;
  };
  if (eventually(reported, limit)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << agent.name() << " does not report " << reason << "\n" << diagnostics();
}

std::string Fixture::held(const std::string& database) {
  const auto status = apply().status();
  if (!status) return "?";
  std::string out;
  for (int i = 0; status->at(fmt::format("/held/{}/table", i)); ++i)
    out += (out.empty() ? "" : " ") + status->at(fmt::format("/held/{}/table", i))->substr(database.size() + 1) + ":" +
           status->at(fmt::format("/held/{}/reason", i)).value_or("");
  return out;
}

testing::AssertionResult Fixture::becomes_held(const std::string& database, const std::string& wanted,
                                               milliseconds limit) {
  if (eventually([&] { return held(database) == wanted; }, limit)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "held: " << held(database) << "\n" << diagnostics();
}

std::string Fixture::topic_bytes(const std::string& folder_prefix) {
  std::string bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(broker_->folder() / "data")) {
    const auto folder = entry.path().parent_path().filename().string();
    if (entry.path().extension() == ".log" && folder.starts_with(folder_prefix)) bytes += read_file(entry.path());
  }
  return bytes;
}

std::string Fixture::diagnostics() {
  std::string text;
  const auto describe = [&](Agent& agent) {
    text += fmt::format("--- {}: {}\n{}\n", agent.name(), status_text(agent), agent.log_tail());
  };
  for (auto& agent : captures_) describe(*agent);
  for (auto& agent : applies_) describe(*agent);
  return text;
}

std::string in_table(std::string statement, const std::string& table) {
  if (const auto at = statement.find("{}"); at != std::string::npos && at < 30) statement.replace(at, 2, table);
  return statement;
}

}  // namespace datasync::test
