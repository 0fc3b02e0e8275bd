#pragma once
// One environment for all tests of the program; each test has a database, a topic, a task and a ledger of its own.

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/kafka/consumer.hpp"
#include "agents/kafka/logs.hpp"
#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {

class ExactlyOnce : public testing::Test {
 public:
  static void end_fixture() { fixture_.reset(); }

 protected:
  static void SetUpTestSuite() {
    if (!fixture_) fixture_ = std::make_unique<Fixture>(FixtureOptions{});
  }
  void TearDown() override { fixture_->end_agents(); }

  /// A database, a topic and a ledger of its own for a test: table t with three rows.
  void prepare(const std::string& name) {
    name_ = name;
    fixture_->source().execute_all({"CREATE DATABASE " + name,
                                    fmt::format("CREATE TABLE {}.t (id INT PRIMARY KEY, v VARCHAR(20))", name),
                                    fmt::format("INSERT INTO {}.t (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')", name)});
  }
  [[nodiscard]] config::Capture capture(const std::string& instance, int partitions = 1) const {
    auto config = fixture_->capture_config({{.name = "t", .tables = {table()}}}, name_);
    config.common.channel.partitions = partitions;
    config.common.instance = instance;
    return config;
  }
  [[nodiscard]] config::Apply apply(const std::string& instance, int partitions = 1) const {
    auto config = fixture_->apply_config(name_, name_);
    config.common.channel.partitions = partitions;
    config.common.instance = instance;
    config.ledger_database = name_ + "_ledger";
    return config;
  }
  [[nodiscard]] std::string table() const { return name_ + ".t"; }
  void add_rows(int first, int count) const {
    fixture_->source().execute(
        fmt::format("INSERT INTO {} SELECT seq, 'x' FROM {}.seq_{}_to_{}", table(), name_, first, first + count - 1));
  }
  testing::AssertionResult equal() const { return fixture_->eventually_equal({{table(), ""}}, seconds(60)); }

  /// All claims of an apply task so far.
  [[nodiscard]] std::int64_t tokens() const {
    return fixture_->destination().number(fmt::format("SELECT SUM(token) FROM {}_ledger.ledger", name_));
  }
  /// Claims on the state topic by the instance named so.
  [[nodiscard]] int claims(const std::string& instance) const {
    const auto config = capture(instance);
    const auto access = kafka::access(config.common.channel, config.common.secrets_dir).value();
    const auto log = kafka::open_state_log(access, config.common.channel.state_topic()).value();
    int count = 0;
    const auto records = log->read_to_end({}).value();  // outlives the loop, as a part of a temporary would not
    for (const auto& record : records) {
      if (record.kind != message::Kind::Claim || record.removed) continue;
      const auto claim = message::decode<message::Claim>(base::as_bytes(record.value)).value();
      if (claim.holder.ends_with("@" + instance)) ++count;
    }
    return count;
  }

  /// What a kubelet does, without its back-off: whatever ended is started again, for a while.
  static void restart_what_ends(const std::vector<Agent*>& agents, milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      for (auto* agent : agents)
        if (!agent->process().is_running()) agent->start();
      std::this_thread::sleep_for(milliseconds(50));
    }
  }
  static void kill_and_restart(const std::vector<Agent*>& agents) {
    for (auto* agent : agents) agent->process().kill();
    for (auto* agent : agents) agent->start();
  }

  /// Two instances, the second of which claimed after the first, are killed and restarted at once.
  testing::AssertionResult settle(Agent& older, Agent& newer) {
    for (int i = 0; i < 4; ++i) {
      kill_and_restart({&older, &newer});
      restart_what_ends({&older, &newer}, milliseconds(300));
    }
    restart_what_ends({&older, &newer}, seconds(1));
    if (auto waits = fixture_->becomes(older, "Stalled", "Superseded"); !waits) return waits;
    if (auto works = fixture_->becomes(newer, "Streaming", ""); !works) return works;
    const auto message = older.status().value_or(AgentStatus{}).message;
    if (message.find("newer is newer than this one") == std::string::npos)
      return testing::AssertionFailure() << "the older one says " << message;
    return testing::AssertionSuccess();
  }

  /// First offset and end of the topic's first partition.
  [[nodiscard]] kafka::Watermarks ends() const {
    const auto config = capture("");
    const auto access = kafka::access(config.common.channel, config.common.secrets_dir).value();
    return kafka::Consumer::open(access, name_, 0, kafka::Consumer::kFirst).value()->watermarks().value();
  }

  static inline std::unique_ptr<Fixture> fixture_;
  std::string name_;
};

}  // namespace datasync::test
