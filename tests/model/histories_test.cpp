// Long random histories over the real code. A seed that fails is printed; DATASYNC_SEED=n runs that one history again,
// DATASYNC_HISTORIES=n so many.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/base/log.hpp"
#include "tests/model/sim_capture.hpp"

namespace datasync::model {
namespace {

constexpr std::size_t kMostAlive = 3;

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const auto* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Agent {
  Process process;
  Life life;
};

/// Rules that are taken away.
struct Without {
  bool ranks = false;
  bool comparing_first = false;
  bool marks = false;
};

class History {
 public:
  explicit History(std::uint64_t seed, const Without& without = {})
      : simulation_(seed, static_cast<std::int32_t>(1 + seed % 3)) {
    simulation_.ranks_ignored = without.ranks;
    simulation_.starts_before_comparing = without.comparing_first;
    simulation_.marks_ignored = without.marks;
  }

  /// What went wrong, if anything.
  std::string run() {
    const auto total = 1 + below(simulation_.random, 6);
    while (started_ < total || alive() > 0) {
      tick(total);
      if (auto wrong = defect(); !wrong.empty()) return wrong;
    }
    return finish();
  }
  [[nodiscard]] std::size_t kills() const noexcept { return kills_; }

 private:
  std::size_t alive() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(agents_, [](const auto& a) { return !a->process.fiber->done(); }));
  }

  Agent& start() { return start(fmt::format("agent-{}", started_ + 1)); }

  Agent& start(const std::string& name) {
    auto& agent = *agents_.emplace_back(std::make_unique<Agent>());
    agent.process.name = name;
    agent.process.start = ++started_;
    agent.process.fiber = std::make_unique<Fiber>([this, &agent] { agent.life = live(simulation_, agent.process); });
    return agent;
  }

  const Agent* one_that_ended() {
    std::vector<const Agent*> ended;
    for (const auto& a : agents_) {
      const bool runs = std::ranges::any_of(agents_, [&](const auto& other) {
        return other->process.name == a->process.name && !other->process.fiber->done();
      });
      if (!runs) ended.push_back(a.get());
    }
    return ended.empty() ? nullptr : ended[below(simulation_.random, ended.size())];
  }

  void kill(Agent& agent) {
    agent.process.killed = true;
    agent.process.stop.request_stop();
    while (!agent.process.fiber->done()) agent.process.fiber->resume();
    ++kills_;
  }

  /// One thing happens: an agent starts, continues for a while, or dies; records land or are lost; compaction runs.
  void tick(std::size_t total) {
    auto& random = simulation_.random;
    const auto dice = below(random, 1000);
    if (started_ < total && alive() < kMostAlive && (alive() == 0 || dice < 30)) {
      if (const auto* ended = one_that_ended(); ended != nullptr && chance(random, 40))
        start(ended->process.name);  // what restarts a container knows nothing of the others
      else
        start();
      return;
    }
    std::vector<Agent*> running;
    for (const auto& a : agents_)
      if (!a->process.fiber->done()) running.push_back(a.get());
    if (dice < 500) simulation_.land_some();
    if (dice < 100) simulation_.compact();
    if (running.empty()) return;
    // Whoever is drawn continues for a while: the others are frozen meanwhile.
    auto& agent = *running[below(random, running.size())];
    const auto turns = 1 + below(random, 30);
    for (std::size_t i = 0; i < turns && !agent.process.fiber->done(); ++i) {
      agent.process.fiber->resume();
      if (chance(random, 40)) simulation_.land_some();
    }
    if (dice < 920 || agent.process.fiber->done()) return;
    kill(agent);
    if (chance(random, 50)) simulation_.lose(agent.process);
  }

  /// One agent is left alone; what the others had on their way lands before, in the middle, behind, or never.
  std::string finish() {
    for (const auto& a : agents_)
      if (!a->process.fiber->done()) kill(*a);
    const auto late = below(simulation_.random, 3);
    if (late == 0) simulation_.land_all();
    if (late == 1) simulation_.lose_all();
    const bool cut = late == 1 && chance(simulation_.random, 30);
    if (cut) simulation_.cut_state();
    const bool emptied = cut && !simulation_.has_claims() && used();
    const bool shortened = late == 1 && !cut && chance(simulation_.random, 50) && simulation_.cut_streams();
    simulation_.calm = true;
    for (auto traces = shortened ? below(simulation_.random, 4) : 0; traces > 0; --traces) run_alone(start_tracing());
    auto& first = start();
    run_alone(first);
    if (shortened && refused(first)) return stays_refused(first.process.name);
    auto& last = first;
    if (emptied)
      return last.life.defect.find("holds no claim") != std::string::npos ? "" : "goes on with an emptied state topic";
    if (auto wrong = defect(); !wrong.empty()) return wrong;
    if (!last.life.finished) return "the last agent did not finish";
    if (auto wrong = compare(); !wrong.empty()) return wrong;
    simulation_.land_all();
    if (auto wrong = compare(); !wrong.empty()) return wrong;
    return cut ? std::string() : restart_all(last.process.name);
  }

  void run_alone(Agent& agent) {
    while (!agent.process.fiber->done()) {
      agent.process.fiber->resume();
      if (chance(simulation_.random, 10)) simulation_.land_some();
    }
  }

  Agent& start_tracing() {
    auto& agent = *agents_.emplace_back(std::make_unique<Agent>());
    agent.process.name = fmt::format("agent-{}", ++started_);
    agent.process.start = started_;
    agent.process.fiber = std::make_unique<Fiber>([this, &agent] { leave_a_trace(simulation_, agent.process); });
    return agent;
  }

  static bool refused(const Agent& agent) {
    return agent.life.defect.find("its end was cut off") != std::string::npos ||
           agent.life.defect.find("but the stream ended") != std::string::npos;
  }

  /// However often it is tried, and whatever the tries leave.
  std::string stays_refused(const std::string& name) {
    constexpr int kTries = 20;
    for (int i = 0; i < kTries; ++i) {
      auto& again = start(name);
      run_alone(again);
      if (refused(again)) continue;
      if (auto wrong = compare(); !wrong.empty()) return "goes on after records were lost: " + wrong;
      return "was refused, and then goes on";
    }
    return {};
  }

  /// Whoever claimed before the newest instance and is restarted now must claim nothing.
  std::string restart_all(const std::string& newest) {
    std::set<std::string> names;
    for (const auto& a : agents_)
      if (a->process.name != newest && a->life.claimed) names.insert(a->process.name);
    const auto claims = simulation_.claims();
    for (const auto& name : names) {
      auto& agent = start(name);
      while (!agent.process.fiber->done()) agent.process.fiber->resume();
      if (simulation_.claims() != claims) return name + ": claims again though a newer instance has";
      if (agent.life.finished) return name + ": goes on though a newer instance has claimed";
    }
    return {};
  }

  bool used() const {
    for (std::int32_t s = 0; s < simulation_.streams; ++s)
      if (!simulation_.stream(s).empty()) return true;
    return false;
  }

  std::string defect() const {
    for (const auto& a : agents_)
      if (!a->life.defect.empty()) return a->process.name + ": " + a->life.defect;
    return {};
  }

  std::string compare() const {
    for (std::int32_t s = 0; s < simulation_.streams; ++s) {
      std::string why;
      const auto applied = apply(simulation_.stream(s), why);
      if (!applied) return fmt::format("stream {}: an apply agent halts: {}", s, why);
      const auto from = beginning(simulation_.stream(s));
      if (!from || *from != *beginning(simulation_.stream(0))) return fmt::format("stream {}: another beginning", s);
      const auto wanted = expected(simulation_.source, s, *from);
      if (*applied != wanted) return fmt::format("stream {}: applied {}, not {}", s, text(*applied), text(wanted));
    }
    return {};
  }

  Simulation simulation_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::size_t started_ = 0;
  std::size_t kills_ = 0;
};

void quiet() {
  static std::once_flag once;
  std::call_once(once, [] { base::log::init("histories", base::log::Level::Error, base::log::Format::Text); });
}

TEST(Histories, deliver_every_transaction_once_and_complete) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "one thread that changes stacks: nothing for this sanitizer";
#endif
  quiet();
  const auto one = number("DATASYNC_SEED", 0);
  const auto count = one != 0 ? 1 : number("DATASYNC_HISTORIES", 5000);
  const auto first = one != 0 ? one : static_cast<std::uint64_t>(std::random_device{}()) + 1;
  std::cout << "DATASYNC_SEED=" << first << " and the " << count - 1 << " behind it\n";
  std::size_t kills = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    History history(seed);
    const auto wrong = history.run();
    kills += history.kills();
    ASSERT_EQ(wrong, "") << "run again with DATASYNC_SEED=" << seed;
  }
  std::cout << count << " histories, " << kills << " kills\n";
}

/// The search notices when every restart claims again.
TEST(Histories, find_that_restarts_of_replaced_instances_claim_again) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "one thread that changes stacks: nothing for this sanitizer";
#endif
  quiet();
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    if (History(seed, {.ranks = true}).run().find("a newer instance has") != std::string::npos) return;
  FAIL() << "200 histories without the rule, and none is wrong";
}

class HistoriesWithout : public testing::TestWithParam<std::pair<const char*, Without>> {};

// The broker lost acknowledged records, and each refused try put a start on the stream until the stream was longer than
// the checkpoint: then the lost changes were never published again.
TEST_P(HistoriesWithout, find_that_records_which_brokers_lost_stay_lost) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "one thread that changes stacks: nothing for this sanitizer";
#endif
  quiet();
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const auto wrong = History(seed, GetParam().second).run();
    if (wrong.find("applied") == std::string::npos) continue;
    std::cout << "seed " << seed << ": " << wrong << "\n";
    return;
  }
  FAIL() << "2000 histories without the rule, and none loses anything";
}

INSTANTIATE_TEST_SUITE_P(Histories, HistoriesWithout,
                         testing::Values(std::pair{"comparing_before_the_start",
                                                   Without{.comparing_first = true, .marks = true}},
                                         std::pair{"marks", Without{.marks = true}}),
                         [](const auto& row) { return row.param.first; });

}  // namespace
}  // namespace datasync::model
