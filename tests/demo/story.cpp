#include "tests/demo/story.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace datasync::demo {
namespace {

using test::Agent;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPatience{90000};

/// The scenes of the demo and what they share.
class Story {
 public:
  Story(World& world, const Talk& talk, Outcome& outcome) : world_(world), talk_(talk), outcome_(outcome) {}

  void tell(milliseconds traffic_time) {
    talk_.say("traffic starts: transfers between accounts, orders, swaps of unique values, changes of keys");
    world_.workload->start();
    start_agents();
    const auto begin = Clock::now();
    const std::vector<std::function<void()>> scenes{
        [this] { kill_agent(capture_); }, [this] { kill_agent(bank_); }, [this] { kill_replica(); },
        [this] { kill_agent(shop_); },    [this] { freeze_capture(); },  [this] { restart_kafka(); },
    };
    const auto slot = traffic_time / static_cast<int>(scenes.size() + 1);
    auto next = begin;
    for (const auto& scene : scenes) {
      next += slot;
      watch_until(next);
      scene();
    }
    watch_until(begin + traffic_time);
    finish();
  }

 private:
  Agent* add(Agent agent) {
    world_.agents.push_back(std::make_unique<Agent>(std::move(agent)));
    world_.agents.back()->start(world_.keep);
    return world_.agents.back().get();
  }

  void start_agents() {
    talk_.say("starting capture (reads a replica, publishes the types bank and shop)");
    capture_ = add(world_.make_capture("capture-1"));
    talk_.say("starting two apply agents: bank stores accounts and audit, shop stores orders, items and places");
    bank_ = add(world_.make_apply("apply-bank", "bank"));
    shop_ = add(world_.make_apply("apply-shop", "shop"));
    talk_.until("initial copy", kPatience, [this] { return is_copied(); });
    wait_until_data_moves("initial copy done while the traffic went on");
    reader_ = std::make_unique<test::ReaderCheck>(world_.bank->port(), world_.traffic.database + ".accounts",
                                                  world_.traffic.accounts, world_.workload->bank_total());
    talk_.say("a reader of the destination checks all the time that no transfer is ever half done");
  }

  /// All rows of the initial copy are there, and the balances add up.
  bool is_copied() {
    const auto sum = query_or(*world_.bank, "SELECT IF(COUNT(*) = {0}, SUM(balance), 0) FROM {1}.accounts", 0);
    const auto orders = query_or(*world_.shop, "SELECT MAX(id) FROM {1}.orders", 0);
    return sum == world_.workload->bank_total() && orders >= world_.traffic.orders;
  }

  /// A number, or `otherwise` while the table is not there.
  std::int64_t query_or(test::MariaDbServer& server, const std::string& sql, std::int64_t otherwise) {
    try {
      const auto text = server.value(fmt::format(fmt::runtime(sql), world_.traffic.accounts, world_.traffic.database));
      return text.empty() ? otherwise : std::stoll(text);
    } catch (const test::SqlError&) {
      return otherwise;
    }
  }

  std::int64_t last_audit(test::MariaDbServer& server) { return query_or(server, "SELECT MAX(seq) FROM {1}.audit", 0); }
  std::int64_t last_order(test::MariaDbServer& server) { return query_or(server, "SELECT MAX(id) FROM {1}.orders", 0); }

  /// Both destinations get what the source has now: progress seen, not "the process runs".
  void wait_until_data_moves(const std::string& what) {
    const auto begin = Clock::now();
    const auto audit = last_audit(*world_.primary);
    const auto order = last_order(*world_.primary);
    talk_.until(what, kPatience, [&] { return last_audit(*world_.bank) > audit && last_order(*world_.shop) > order; });
    talk_.say(fmt::format("{}: both destinations caught up within {:.1f} s", what,
                          std::chrono::duration<double>(Clock::now() - begin).count()));
    check_reader();
  }

  void check_reader() const {
    if (reader_ && reader_->violations() > 0) {
      throw Failed("a reader saw a transfer half done: " + reader_->first_violation());
    }
  }

  void watch_until(Clock::time_point end) {
    while (Clock::now() < end) {
      talk_.rest(std::min(milliseconds(4000), std::chrono::ceil<milliseconds>(end - Clock::now())));
      talk_.say(fmt::format("{} transactions committed at the source; audit lines behind: {}, orders behind: {}",
                            world_.workload->committed(), last_audit(*world_.primary) - last_audit(*world_.bank),
                            last_order(*world_.primary) - last_order(*world_.shop)));
      check_reader();
    }
  }

  void kill_agent(Agent* agent) {
    talk_.say(fmt::format("kill -9 {} (pid {}), and start it again", agent->name(), agent->process().pid()));
    ++outcome_.kills;
    agent->process().kill();
    agent->start(world_.keep);
    wait_until_data_moves(agent->name() + " went on from the log");
  }

  void kill_replica() {
    auto* used = world_.replica_in_use();
    if (used == nullptr) throw Failed("no replica is read from");
    talk_.say(fmt::format("kill -9 {} (port {}), the replica in use", used->name(), used->port()));
    ++outcome_.kills;
    used->kill();
    talk_.until("capture moves to another replica", kPatience, [this] { return world_.replica_in_use() != nullptr; });
    ++outcome_.failovers;
    wait_until_data_moves(fmt::format("capture moved to {}", world_.replica_in_use()->name()));
    used->start();
    talk_.say(used->name() + " is back");
  }

  void freeze_capture() {
    auto* frozen = capture_;
    talk_.say(fmt::format("freeze {} (SIGSTOP), and start a second instance of it", frozen->name()));
    frozen->process().freeze();
    capture_ = add(world_.make_capture("capture-2"));
    wait_until_data_moves("capture-2 took over");
    ++outcome_.failovers;
    talk_.say(fmt::format("thaw {}: it must see that it was replaced, and end", frozen->name()));
    frozen->process().thaw();
    talk_.until(frozen->name() + " ends by itself", kPatience, [&] { return !frozen->process().is_running(); });
    talk_.say(fmt::format("{} ended by itself ({})", frozen->name(), frozen->process().exit_status()->text()));
    wait_until_data_moves("nothing of the zombie was stored");
  }

  void restart_kafka() {
    talk_.say("kill -9 Kafka, and start it again");
    ++outcome_.kills;
    world_.kafka->kill();
    talk_.rest(milliseconds(1000));
    world_.kafka->start();
    wait_until_data_moves("Kafka is back");
  }

  void finish() {
    world_.workload->stop();
    talk_.say(fmt::format("traffic stopped after {} transactions; waiting for the destinations",
                          world_.workload->committed()));
    talk_.until("the destinations have the last rows", kPatience, [this] {
      return last_audit(*world_.bank) >= last_audit(*world_.primary) &&
             last_order(*world_.shop) >= last_order(*world_.primary);
    });
    compare();
    check_reader();
    talk_.say(fmt::format("{} reads of the accounts at the destination, each whole", reader_->reads()));
  }

  /// What came last may be under way still: tries until equal.
  void compare() {
    talk_.say("comparing every row and column");
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    do {
      outcome_.rows = world_.compare_all();
      outcome_.compared = true;
      if (outcome_.rows.equal()) return;
      talk_.rest(milliseconds(500));
    } while (Clock::now() < deadline);
    throw Failed("source and destination differ:\n" + outcome_.rows.text());
  }

  World& world_;
  const Talk& talk_;
  Outcome& outcome_;
  Agent* capture_ = nullptr;
  Agent* bank_ = nullptr;
  Agent* shop_ = nullptr;
  std::unique_ptr<test::ReaderCheck> reader_;
};

}  // namespace

void tell(World& world, const Talk& talk, milliseconds traffic_time, Outcome& outcome) {
  Story(world, talk, outcome).tell(traffic_time);
}

}  // namespace datasync::demo
