#include "tests/cluster/situations.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/cluster/manifests.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

/// Of a change at the source until it is at the destination, a restarted pod or a lasting back-off included.
constexpr seconds kArrival{150};

}  // namespace

const std::map<std::string, Situations::Action>& Situations::all() {
  using S = Situations;
  static const std::map<std::string, Action> actions{
      {"orders-arrive", &S::orders_arrive},
      {"places-arrive", &S::places_arrive},
      {"accounts-arrive", &S::accounts_arrive},
      {"team-accounts-arrive", &S::team_accounts_arrive},
      {"orders-equal", &S::orders_equal},
      {"accounts-equal", &S::accounts_equal},
      {"no-traffic", &S::no_traffic},
      {"traffic", &S::traffic},
      {"pods-noted", &S::note_pods},
      {"same-pods", &S::expect_same_pods},
      {"new-connections-work", &S::new_connections_work},
      {"new-authority", &S::make_new_authority},
      {"new-certificate-works", &S::new_certificate_works},
      {"resource-in-unwatched-namespace", &S::make_resource_in_unwatched_namespace},
      {"wrong-password", &S::set_wrong_password},
      {"right-revoked", &S::revoke_right},
      {"kafka-stopped", &S::stop_kafka},
      {"kafka-started", &S::start_kafka},
      {"wrong-image-tag", &S::set_wrong_image_tag},
      {"node-cordoned", &S::cordon_node},
      {"too-little-memory", &S::give_too_little_memory},
      {"destination-read-only", &S::make_destination_read_only},
      {"row-deleted-at-the-destination", &S::delete_row_at_destination},
      {"foreign-record", &S::put_foreign_record},
      {"binlogs-purged", &S::purge_binlogs},
      {"deletion-stuck", &S::make_deletion_stuck},
      {"operator-back", &S::bring_operator_back},
  };
  return actions;
}

const std::set<std::string>& Situations::names() {
  static const std::set<std::string> known = [] {
    std::set<std::string> out;
    for (const auto& [name, action] : all()) out.insert(name);
    return out;
  }();
  return known;
}

Situations::Situations(Environment& environment, const Reader& reader)
    : environment_(environment), servers_(environment.servers()), reader_(reader) {}

void Situations::make(const std::string& name) {
  (this->*all().at(name))();
}

// --- what shall be so

void Situations::orders_arrive() {
  const auto now = servers_.source_mark().order;
  await(
      "orders at the destination", [&] { return servers_.reached_at_recovery().order >= now; }, kArrival);
}

void Situations::accounts_arrive() {
  const auto now = servers_.source_mark().audit;
  await(
      "the bank's audit at the destination", [&] { return servers_.reached_at_recovery().audit >= now; }, kArrival);
}

void Situations::places_arrive() {
  const auto rows = servers_.primary().number("SELECT COUNT(*) FROM shop.places");
  await(
      "places at the destination",
      [&] {
        auto& there = servers_.recovery();
        return there.number(
                   "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='shop' AND "
                   "table_name='places'") == 1 &&
               there.number("SELECT COUNT(*) FROM shop.places") == rows;
      },
      kArrival);
}

void Situations::team_accounts_arrive() {
  const auto rows = servers_.primary().number("SELECT COUNT(*) FROM shop.accounts");
  await(
      "accounts of the team", [&] { return servers_.recovery().number("SELECT COUNT(*) FROM team.accounts") == rows; },
      kArrival);
}

void Situations::equal(const std::vector<std::string>& tables) {
  servers_.traffic().stop();
  std::vector<TablePair> pairs;
  for (const auto& table : tables) pairs.push_back({.source = table, .destination = ""});
  auto source = servers_.primary().connect();
  auto there = servers_.recovery().connect();
  CompareResult rows;
  const bool done = eventually([&] { return (rows = compare(source, there, pairs)).equal(); }, seconds(60));
  if (!done) throw std::runtime_error(rows.text());
}

void Situations::orders_equal() {
  equal(Servers::shop_tables());
  traffic();
}

void Situations::accounts_equal() {
  equal(Servers::bank_tables());
  traffic();
}

void Situations::no_traffic() {
  equal(Servers::shop_tables());
}

void Situations::traffic() {
  servers_.traffic().start();
}

std::set<std::string> Situations::pods() {
  std::set<std::string> out;
  for (auto& side : environment_.sides()) {
    const auto list = side.kubectl.get({"-n", kNamespace, "pods"});
    for (const auto& pod : list.at("items")) {
      out.insert(fmt::format("{} {} {}", side.name, pod["metadata"]["name"].get<std::string>(), restarts_of(pod)));
    }
  }
  return out;
}

/// No roll-out under way: every Deployment has exactly the ready pods that it wants, and none of another revision.
bool Situations::settled() {
  return std::ranges::all_of(environment_.sides(), [](Side& side) {
    const auto pods = side.kubectl.get({"-n", kNamespace, "pods"});
    const auto deployments = side.kubectl.get({"-n", kNamespace, "deployments"});
    int wanted = 0;
    for (const auto& one : deployments.at("items")) {
      const auto replicas = one.at("spec").at("replicas").get<int>();
      const auto& status = one.at("status");
      wanted += replicas;
      if (status.value("observedGeneration", 0) < one.at("metadata").at("generation").get<int>() ||
          status.value("updatedReplicas", 0) != replicas || status.value("readyReplicas", 0) != replicas) {
        return false;
      }
    }
    return pods.at("items").size() == static_cast<std::size_t>(wanted);  // pods that are ending are listed, too
  });
}

void Situations::note_pods() {
  await(
      "pods of one revision only", [&] { return settled(); }, seconds(60));
  noted_ = pods();
}

void Situations::expect_same_pods() {
  if (const auto now = pods(); now != noted_) {
    throw std::runtime_error(fmt::format("a pod was replaced or restarted; before: {}; now: {}",
                                         fmt::join(noted_, ", "), fmt::join(now, ", ")));
  }
}

void Situations::new_connections_work() {
  servers_.recovery().restart();
  orders_arrive();
  accounts_arrive();
}

void Situations::make_new_authority() {
  new_authority_ = std::make_unique<CertificateAuthority>(reader_.home().string() + ".authority", "new authority");
  std::filesystem::copy_file(new_authority_->certificate(), reader_.home() / "dr-ca-new.crt");
}

void Situations::new_certificate_works() {
  servers_.recovery().replace_tls({new_authority_->issue("db", {"DNS:shop-db.dr"}), new_authority_->certificate()});
  new_connections_work();
}

// --- what goes wrong

void Situations::type(const std::string& command) const {
  const auto answer = reader_.type(command);
  if (answer.code != 0) throw std::runtime_error(command + "\n" + answer.output);
}

void Situations::patch_bank(const std::string& json) {
  environment_.b().kubectl.run({"-n", kNamespace, "patch", "datasync", "bank-dr", "--type=merge", "-p", json});
}

void Situations::delete_pods(Side& side, const std::string& selector) {
  side.kubectl.run({"-n", kNamespace, "delete", "pods", "-l", selector, "--wait=false"});
}

void Situations::make_resource_in_unwatched_namespace() {
  type(
      "kubectl --context b create namespace team\n"
      "sed 's/name: bank-dr, namespace: sync/name: accounts, namespace: team/; s/types: .*/types: [accounts]/; "
      "s/^  destination:$/&\\n    tables: {rename: {shop.accounts: team.accounts}}/' bank-dr.yaml | "
      "kubectl --context b apply --server-side -f -");
}

void Situations::set_wrong_password() {
  environment_.b().kubectl.apply(secret("dr-writer", {{"username", "writer"}, {"password", "not this one"}}));
  delete_pods(environment_.b(), "datasync.dev/name=bank-dr");  // a new pod has the new secret at once
}

void Situations::revoke_right() {
  servers_.primary().execute("REVOKE REPLICATION SLAVE ON *.* FROM reader");
  delete_pods(environment_.a(), "datasync.dev/name=shop,datasync.dev/agent=capture");
}

void Situations::stop_kafka() {
  servers_.kafka().kill();
}

void Situations::start_kafka() {
  servers_.kafka().start();
  orders_arrive();
}

void Situations::set_wrong_image_tag() {
  type(
      "helm --kube-context b upgrade datasync charts/datasync-operator -n datasync-system --reuse-values "
      "--set agentImage.tag=9.9.9");
}

void Situations::cordon_node() {
  environment_.b().kubectl.run({"cordon", environment_.b().own->name()});
  delete_pods(environment_.b(), "datasync.dev/name=bank-dr");
}

void Situations::give_too_little_memory() {
  patch_bank(R"({"spec":{"apply":{"resources":{"limits":{"memory":"4Mi"}}}}})");
}

void Situations::make_destination_read_only() {
  servers_.recovery().execute("SET GLOBAL read_only=ON");
}

void Situations::delete_row_at_destination() {
  servers_.recovery().execute("DELETE FROM shop.accounts LIMIT 1");
}

void Situations::put_foreign_record() {
  run({"kcat", "-P", "-b", servers_.kafka().tools_address(), "-t", "shop", "-p", "0"}, "who are you\n");
}

/// As after a pause that was longer than binlogs are kept.
void Situations::purge_binlogs() {
  type("kubectl datasync pause shop -n sync --context a");
  await(
      "the pause", [&] { return environment_.a().pods("shop", "capture").empty(); }, seconds(60));
  for (int round = 0; round < 3; ++round) {
    servers_.primary().execute("FLUSH BINARY LOGS");
    servers_.traffic().stop();  // lets what was begun be committed
    servers_.traffic().start();
    std::this_thread::sleep_for(seconds(2));
    for (auto& replica : servers_.replicas()) replica->execute("FLUSH BINARY LOGS");
  }
  for (auto& replica : servers_.replicas()) {
    const auto logs = replica->query("SHOW BINARY LOGS");
    replica->execute(fmt::format("PURGE BINARY LOGS TO '{}'", logs.back().at(0).value_or("")));
  }
  type("kubectl datasync resume shop -n sync --context a");
}

void Situations::make_deletion_stuck() {
  type(
      "kubectl --context b -n team patch dsync accounts --type=merge -p '{\"spec\":{\"deletionPolicy\":\"Delete\"}}'\n"
      "kubectl --context b -n team wait --for=jsonpath='{.metadata.finalizers}' dsync/accounts --timeout=60s\n"
      "kubectl --context b -n datasync-system scale deployment --all --replicas=0\n"
      "kubectl --context b -n datasync-system wait --for=delete pod --all --timeout=60s\n"
      "kubectl --context b -n team delete dsync accounts --wait=false");
}

void Situations::bring_operator_back() {
  type(
      "kubectl --context b -n datasync-system scale deployment --all --replicas=1\n"
      "kubectl --context b -n datasync-system wait --for=condition=Available deployment --all --timeout=120s");
}

}  // namespace datasync::test
