#include "tests/demo/steps.hpp"

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

/// The steps of the demo and what they share.
class Steps {
 public:
  Steps(Environment& environment, const Console& console, Outcome& outcome)
      : environment_(environment), console_(console), outcome_(outcome) {}

  void run(milliseconds traffic_time) {
    console_.print("traffic starts: transfers between accounts, orders, swaps of unique values, changes of keys");
    environment_.workload->start();
    start_agents();
    const auto begin = Clock::now();
    const std::vector<std::function<void()>> steps{
        [this] { kill_agent(capture_); }, [this] { kill_agent(bank_); }, [this] { kill_replica(); },
        [this] { kill_agent(shop_); },    [this] { freeze_capture(); },  [this] { restart_kafka(); },
    };
    const auto slot = traffic_time / static_cast<int>(steps.size() + 1);
    auto next = begin;
    for (const auto& step : steps) {
      next += slot;
      watch_until(next);
      step();
    }
    watch_until(begin + traffic_time);
    finish();
  }

 private:
  Agent* add(Agent agent) {
    environment_.agents.push_back(std::make_unique<Agent>(std::move(agent)));
    environment_.agents.back()->start(environment_.keep);
    return environment_.agents.back().get();
  }

  void start_agents() {
    console_.print("starting capture (reads a replica, publishes the types bank and shop)");
    capture_ = add(environment_.make_capture("capture-1"));
    console_.print("starting two apply agents: bank stores accounts and audit, shop stores orders, items and places");
    bank_ = add(environment_.make_apply("apply-bank", "bank"));
    shop_ = add(environment_.make_apply("apply-shop", "shop"));
    console_.until("initial copy", kPatience, [this] { return is_copied(); });
    wait_until_caught_up("initial copy done while the traffic went on");
    reader_ =
        std::make_unique<test::ReaderCheck>(environment_.bank->port(), environment_.traffic.database + ".accounts",
                                            environment_.traffic.accounts, environment_.workload->bank_total());
    console_.print("a reader of the destination checks all the time that no transfer is ever half done");
  }

  /// All rows of the initial copy are there, and the balances add up.
  bool is_copied() {
    const auto sum = query_or(*environment_.bank, "SELECT IF(COUNT(*) = {0}, SUM(balance), 0) FROM {1}.accounts", 0);
    const auto orders = query_or(*environment_.shop, "SELECT MAX(id) FROM {1}.orders", 0);
    return sum == environment_.workload->bank_total() && orders >= environment_.traffic.orders;
  }

  /// A number, or `otherwise` while the table is not there.
  std::int64_t query_or(test::MariaDbServer& server, const std::string& sql, std::int64_t otherwise) {
    try {
      const auto text =
          server.value(fmt::format(fmt::runtime(sql), environment_.traffic.accounts, environment_.traffic.database));
      return text.empty() ? otherwise : std::stoll(text);
    } catch (const test::SqlError&) {
      return otherwise;
    }
  }

  std::int64_t last_audit(test::MariaDbServer& server) { return query_or(server, "SELECT MAX(seq) FROM {1}.audit", 0); }
  std::int64_t last_order(test::MariaDbServer& server) { return query_or(server, "SELECT MAX(id) FROM {1}.orders", 0); }

  /// Both destinations get what the source has now: progress seen, not "the process runs".
  void wait_until_caught_up(const std::string& what) {
    const auto begin = Clock::now();
    const auto audit = last_audit(*environment_.primary);
    const auto order = last_order(*environment_.primary);
    console_.until(what, kPatience,
                   [&] { return last_audit(*environment_.bank) > audit && last_order(*environment_.shop) > order; });
    console_.print(fmt::format("{}: both destinations caught up within {:.1f} s", what,
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
      console_.rest(std::min(milliseconds(4000), std::chrono::ceil<milliseconds>(end - Clock::now())));
      console_.print(fmt::format("{} transactions committed at the source; audit lines behind: {}, orders behind: {}",
                                 environment_.workload->committed(),
                                 last_audit(*environment_.primary) - last_audit(*environment_.bank),
                                 last_order(*environment_.primary) - last_order(*environment_.shop)));
      check_reader();
    }
  }

  void kill_agent(Agent* agent) {
    console_.print(fmt::format("kill -9 {} (pid {}), and start it again", agent->name(), agent->process().pid()));
    ++outcome_.kills;
    agent->process().kill();
    agent->start(environment_.keep);
    wait_until_caught_up(agent->name() + " went on from the log");
  }

  void kill_replica() {
    auto* used = environment_.replica_in_use();
    if (used == nullptr) throw Failed("no replica is read from");
    console_.print(fmt::format("kill -9 {} (port {}), the replica in use", used->name(), used->port()));
    ++outcome_.kills;
    used->kill();
    console_.until("capture moves to another replica", kPatience,
                   [this] { return environment_.replica_in_use() != nullptr; });
    ++outcome_.failovers;
    wait_until_caught_up(fmt::format("capture moved to {}", environment_.replica_in_use()->name()));
    used->start();
    console_.print(used->name() + " is back");
  }

  void freeze_capture() {
    auto* frozen = capture_;
    console_.print(fmt::format("freeze {} (SIGSTOP), and start a second instance of it", frozen->name()));
    frozen->process().freeze();
    capture_ = add(environment_.make_capture("capture-2"));
    wait_until_caught_up("capture-2 took over");
    ++outcome_.failovers;
    console_.print(fmt::format("thaw {}: it must see that it was replaced, and end", frozen->name()));
    frozen->process().thaw();
    console_.until(frozen->name() + " ends by itself", kPatience, [&] { return !frozen->process().is_running(); });
    console_.print(fmt::format("{} ended by itself ({})", frozen->name(), frozen->process().exit_status()->text()));
    wait_until_caught_up("nothing of the zombie was stored");
  }

  void restart_kafka() {
    console_.print("kill -9 Kafka, and start it again");
    ++outcome_.kills;
    environment_.kafka->kill();
    console_.rest(milliseconds(1000));
    environment_.kafka->start();
    wait_until_caught_up("Kafka is back");
  }

  void finish() {
    environment_.workload->stop();
    console_.print(fmt::format("traffic stopped after {} transactions; waiting for the destinations",
                               environment_.workload->committed()));
    console_.until("the destinations have the last rows", kPatience, [this] {
      return last_audit(*environment_.bank) >= last_audit(*environment_.primary) &&
             last_order(*environment_.shop) >= last_order(*environment_.primary);
    });
    compare();
    check_reader();
    console_.print(fmt::format("{} reads of the accounts at the destination, each whole", reader_->reads()));
  }

  /// What came last may be under way still: tries until equal.
  void compare() {
    console_.print("comparing every row and column");
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    do {
      outcome_.rows = environment_.compare_all();
      outcome_.compared = true;
      if (outcome_.rows.equal()) return;
      console_.rest(milliseconds(500));
    } while (Clock::now() < deadline);
    throw Failed("source and destination differ:\n" + outcome_.rows.text());
  }

  Environment& environment_;
  const Console& console_;
  Outcome& outcome_;
  Agent* capture_ = nullptr;
  Agent* bank_ = nullptr;
  Agent* shop_ = nullptr;
  std::unique_ptr<test::ReaderCheck> reader_;
};

}  // namespace

void run_steps(Environment& environment, const Console& console, milliseconds traffic_time, Outcome& outcome) {
  Steps(environment, console, outcome).run(traffic_time);
}

}  // namespace datasync::demo
