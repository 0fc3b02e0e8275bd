#include "tests/integration/chaos.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

constexpr int kAccounts = 50;
constexpr int kPerSecond = 60;
constexpr int kSuperseded = 3;  ///< the exit code of an instance that was replaced
constexpr milliseconds kWatchdog{1000};
constexpr milliseconds kRecovery = seconds(60);

WorkloadOptions workload(const std::string& database, std::uint64_t seed) {
  return {
      .database = database, .seed = seed, .clients = 2, .per_second = kPerSecond, .accounts = kAccounts, .orders = 100};
}

}  // namespace

Chaos::Chaos(const Options& options)
    : options_(options),
      random_(options.seed),
      fixture_({.replicas = 2, .partitions = options.partitions, .proxies = true}) {
  std::vector<config::Type> types;
  for (const auto& database : options_.databases) {
    Workload::create(fixture_.source(), workload(database, options_.seed));
    // The audit table has no key there, so that a row that comes twice is there twice; the others keep all their keys.
    Workload::create_unguarded_audit(fixture_.destination(), database);
    auto there = fixture_.destination().connect();
    there.execute("USE " + quote_name(database));
    for (const auto* table : {"accounts", "orders", "order_items", "places"}) {
      there.execute(fixture_.source().query("SHOW CREATE TABLE " + database + "." + table).at(0).at(1).value());
    }
    types.push_back({.name = "bank-" + database,
                     .tables = Workload::bank_tables(database),
                     .exclude_columns = {},
                     .key_columns = {}});
    types.push_back({.name = "shop-" + database,
                     .tables = Workload::shop_tables(database),
                     .exclude_columns = {},
                     .key_columns = {}});
    traffic_.push_back(std::make_unique<Workload>(fixture_.source().port(), workload(database, options_.seed)));
  }
  for (auto& replica : fixture_.replicas()) replica->wait_for_gtid(fixture_.source().gtid());
  capture_ = fixture_.capture_config(types);
  capture_.watchdog = kWatchdog;
  apply_ = fixture_.apply_config("chaos");
}

testing::AssertionResult Chaos::begin() {
  fixture_.start_capture(capture_);
  fixture_.start_apply(apply_);
  if (auto copied = fixture_.becomes_equal(all_tables()); !copied) return copied << "first copy";
  for (std::size_t i = 0; i < traffic_.size(); ++i) {
    if (options_.partitions == 1) {
      readers_.push_back(std::make_unique<ReaderCheck>(
          fixture_.destination().port(), options_.databases[i] + ".accounts", kAccounts, traffic_[i]->bank_total()));
    }
    traffic_[i]->start();
  }
  return testing::AssertionSuccess();
}

std::vector<TablePair> Chaos::all_tables() const {
  std::vector<TablePair> pairs;
  for (const auto& database : options_.databases) {
    for (const auto& table : Workload::tables(database)) pairs.push_back({table, ""});
  }
  return pairs;
}

testing::AssertionResult Chaos::round() {
  ++rounds_;
  std::array parts{Part::Capture, Part::Apply, Part::Source, Part::Broker, Part::Destination};
  std::ranges::shuffle(parts, random_);
  const int several = pick(1, 10) <= 7 ? 1 : pick(2, 3);
  if (several > 1) count("several at once");
  std::vector<Undo> undo;
  for (int i = 0; i < several; ++i) {
    if (auto later = inject(parts[static_cast<std::size_t>(i)])) undo.push_back(std::move(later));
    std::this_thread::sleep_for(milliseconds(pick(0, 200)));
  }
  std::this_thread::sleep_for(milliseconds(pick(50, 600)));
  for (auto& later : undo) later();
  if (auto ended = zombies_ended(); !ended) return ended;
  return rounds_ % 2 == 0 ? moves(kRecovery) : testing::AssertionSuccess();
}

Chaos::Undo Chaos::inject(Part part) {
  switch (part) {
    case Part::Capture:
      return break_capture();
    case Part::Apply:
      return break_apply();
    case Part::Source:
      return break_source();
    case Part::Broker:
      return break_broker();
    case Part::Destination:
      return break_destination();
  }
  return {};
}

Chaos::Undo Chaos::break_capture() {
  auto& agent = fixture_.capture();
  if (pick(1, 3) <= 2) {
    count("capture killed");
    agent.kill_and_restart();
    return {};
  }
  count("capture frozen and replaced");
  agent.process().freeze();
  fixture_.start_capture(capture_);
  auto& successor = fixture_.capture();
  std::this_thread::sleep_for(kWatchdog + milliseconds(200));
  return [this, &agent, &successor] {
    agent.process().thaw();
    zombies_.push_back({&agent, agent.name(), &successor});
  };
}

Chaos::Undo Chaos::break_apply() {
  auto& agent = fixture_.apply();
  remember_refusals(agent);
  if (pick(1, 3) <= 2) {
    count("apply killed");
    agent.kill_and_restart();
    return {};
  }
  count("apply frozen and replaced");
  agent.process().freeze();
  fixture_.start_apply(apply_);
  auto& successor = fixture_.apply();
  std::this_thread::sleep_for(kWatchdog + milliseconds(200));
  return [this, &agent, &successor] {
    agent.process().thaw();
    zombies_.push_back({&agent, agent.name(), &successor});
  };
}

Chaos::Undo Chaos::break_network(Proxy& proxy, const std::string& name) {
  switch (pick(1, 3)) {
    case 1:
      count(name + " connections cut");
      proxy.cut();
      return {};
    case 2: {
      count(name + " half open");
      proxy.blackhole();
      std::this_thread::sleep_for(kWatchdog + milliseconds(300));
      return [&proxy] { proxy.pass(); };
    }
    default:
      count(name + " holds back");
      proxy.hold();
      return [&proxy] { proxy.pass(); };
  }
}

Chaos::Undo Chaos::break_source() {
  auto& proxies = fixture_.replica_proxies();
  const auto in_use = static_cast<std::size_t>(
      std::ranges::max_element(proxies, {}, [](const auto& proxy) { return proxy->connections(); }) - proxies.begin());
  if (pick(1, 3) <= 2) return break_network(*proxies[in_use], "source");
  count("replica in use killed");
  auto& replica = *fixture_.replicas()[in_use];
  replica.kill();
  return [&replica] { replica.start(); };
}

Chaos::Undo Chaos::break_broker() {
  auto& broker = fixture_.broker();
  switch (pick(1, 8)) {  // the broker takes seconds to come back
    case 1:
      count("broker restarted");
      broker.restart();
      return {};
    case 2:
      count("broker killed");
      broker.kill();
      return [&broker] { broker.start(); };
    default:
      return break_network(fixture_.broker_proxy(), "broker");
  }
}

Chaos::Undo Chaos::break_destination() {
  auto& server = fixture_.destination();
  switch (pick(1, 5)) {
    case 1:
      count("destination restarted");
      server.restart();
      return {};
    case 2:
      count("destination killed");
      server.kill();
      return [&server] { server.start(); };
    default:
      return break_network(fixture_.destination_proxy(), "destination");
  }
}

testing::AssertionResult Chaos::moves(milliseconds limit) {
  for (const auto& database : options_.databases) {
    const auto sql = fmt::format("SELECT COALESCE(MAX(seq), 0) FROM {}.audit", quote_name(database));
    const auto goal = fixture_.source().number(sql);
    const auto reached = [&] {
      try {
        return fixture_.destination().number(sql) >= goal;
      } catch (const SqlError&) {
        return false;
      }
    };
    if (!eventually(reached, limit)) {
      return testing::AssertionFailure() << "nothing moves after round " << rounds_ << "\n"
                                         << tally() << fixture_.diagnostics();
    }
  }
  return testing::AssertionSuccess();
}

// One of the two ends, and says why. Nearly always it is the one that was frozen; frozen in the middle of its claim it
// may lose that race, claim again above its successor, and be the newer one.
testing::AssertionResult Chaos::zombies_ended() {
  std::set<Agent*> gone;
  for (auto& zombie : zombies_) {
    if (gone.contains(zombie.agent)) continue;
    Agent* ended = nullptr;
    const auto one_ended = [&] {
      for (auto* agent : {zombie.successor, zombie.agent})
        if (!gone.contains(agent) && !agent->process().is_running()) ended = agent;
      return ended != nullptr;
    };
    if (!eventually(one_ended, seconds(30)))
      return testing::AssertionFailure() << zombie.name << " was replaced and goes on\n" << fixture_.diagnostics();
    const auto exit = ended->process().exit_status();
    if (!exit || exit->code != kSuperseded) {
      return testing::AssertionFailure() << ended->name() << " ended with " << (exit ? exit->text() : "nothing") << "\n"
                                         << ended->log_tail();
    }
    gone.insert(ended);
    fixture_.forget(*ended);
  }
  zombies_.clear();
  return testing::AssertionSuccess();
}

void Chaos::remember_refusals(Agent& apply) {
  if (const auto status = apply.status()) refusals_ += status->number("/duplicatesRefused");
}

testing::AssertionResult Chaos::check() {
  for (auto& traffic : traffic_) traffic->stop();
  if (auto ended = zombies_ended(); !ended) return ended;
  for (auto& replica : fixture_.replicas()) replica->wait_for_gtid(fixture_.source().gtid());
  if (auto equal = fixture_.becomes_equal(all_tables(), kRecovery); !equal) return equal << tally();
  auto session = fixture_.destination().connect();
  for (const auto& database : options_.databases) {
    if (const auto repeated = repeated_audit_rows(session, database); repeated != 0) {
      return testing::AssertionFailure() << repeated << " audit rows came twice\n" << tally();
    }
  }
  for (const auto& reader : readers_) {
    if (reader->violations() != 0) return testing::AssertionFailure() << reader->first_violation() << "\n" << tally();
    if (reader->reads() == 0) return testing::AssertionFailure() << "the reader read nothing";
  }
  const auto status = fixture_.apply().status();
  if (!status || !status->at("/duplicatesRefused"))
    return testing::AssertionFailure() << "no duplicatesRefused\n" << fixture_.diagnostics();
  if (const auto refused = refusals_ + status->number("/duplicatesRefused"); refused != 0) {
    return testing::AssertionFailure() << refused << " transactions were refused as repeats\n" << tally();
  }
  for (auto& traffic : traffic_) traffic->start();
  return testing::AssertionSuccess();
}

std::string Chaos::tally() const {
  std::string text = fmt::format("seed {}, {} rounds:", options_.seed, rounds_);
  for (const auto& [fault, times] : tally_) text += fmt::format(" {} x {};", times, fault);
  return text + "\n";
}

}  // namespace datasync::test
