// What a person decides, with real servers and agents: exactly one lost position is given up; a task is forgotten
// (`datasync cleanup`) and begun again.

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "agents/kafka/logs.hpp"
#include "tests/integration/rig.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Decisions : public testing::Test {
 protected:
  static void SetUpTestSuite() { rig_ = std::make_unique<Rig>(RigOptions{}); }
  static void TearDownTestSuite() { rig_.reset(); }
  void TearDown() override { rig_->end_agents(); }

  /// A database and a topic of this name: table t with three rows, captured and applied.
  void start_both(const std::string& name) {
    name_ = name;
    rig_->source().execute_all({"CREATE DATABASE " + name, fmt::format("CREATE TABLE {}.t (id INT PRIMARY KEY)", name),
                                fmt::format("INSERT INTO {}.t VALUES (1), (2), (3)", name)});
    rig_->start_capture(capture());
    rig_->start_apply(apply());
    ASSERT_TRUE(equal());
  }
  [[nodiscard]] config::Capture capture() const {
    return rig_->capture_config({{.name = "t", .tables = {name_ + ".t"}}}, name_);
  }
  [[nodiscard]] config::Apply apply() const { return rig_->apply_config(name_, name_); }
  void insert(int id) { rig_->source().execute(fmt::format("INSERT INTO {}.t VALUES ({})", name_, id)); }
  testing::AssertionResult equal() { return rig_->eventually_equal({{name_ + ".t", ""}}, seconds(60)); }

  /// The capture agent is down while the source loses binlogs that it needs.
  void lose_position(int id) {
    rig_->capture().process().kill();
    insert(id);
    const auto purged = [] {
      rig_->source().execute("FLUSH BINARY LOGS");
      rig_->source().execute(fmt::format("PURGE BINARY LOGS TO '{}'", rig_->source().value("SHOW MASTER STATUS")));
      return rig_->source().query("SHOW BINARY LOGS").size() == 1;
    };
    ASSERT_TRUE(eventually(purged, seconds(30)));
  }
  void capture_with(const config::Capture& config) {
    rig_->forget(rig_->capture());
    rig_->start_capture(config);
  }
  static std::string told(const char* pointer) {
    return rig_->capture().status().value_or(AgentStatus{}).at(pointer).value_or("");
  }

  /// Runs `datasync cleanup` over the configurations of both agents.
  struct Said {
    int code = -1;
    std::string text;
  };
  static Said cleanup(const std::vector<std::string>& configs) {
    ProcessOptions o;
    o.args = {built_program("datasync").string(), "cleanup"};
    int n = 0;
    for (const auto& text : configs) {
      const auto file = rig_->folder() / fmt::format("cleanup-{}.json", n++);
      write_file(file, text);
      o.args.insert(o.args.end(), {"--config", file.string()});
    }
    o.log = rig_->folder() / "cleanup.out";
    std::filesystem::remove(o.log);
    auto process = Process::start(o);
    const auto exit = process.wait(seconds(90));
    return {exit ? exit->code : -1, read_file(o.log)};
  }
  static std::string ledger_tasks(const config::Apply& a) {
    return rig_->destination().value(
        fmt::format("SELECT GROUP_CONCAT(DISTINCT task ORDER BY task) FROM {}.ledger", a.ledger_database));
  }

  static inline std::unique_ptr<Rig> rig_;
  std::string name_;
};

TEST_F(Decisions, exactly_the_accepted_position_is_given_up) {
  start_both("accepted");
  lose_position(4);
  rig_->capture().start();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "BinlogPurged"));
  const auto lost = told("/lostPosition");
  ASSERT_FALSE(lost.empty());

  auto config = capture();
  config.accept_position_lost = "0-1-1";  // of another day
  capture_with(config);
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "BinlogPurged"));
  EXPECT_EQ(told("/lostPosition"), lost);
  EXPECT_EQ(told("/acceptedPosition"), "");

  config.accept_position_lost = lost;
  capture_with(config);
  EXPECT_TRUE(equal());
  EXPECT_EQ(told("/acceptedPosition"), lost);
  EXPECT_EQ(told("/lostPosition"), "");
  insert(5);
  EXPECT_TRUE(equal());

  // The word stays in the configuration: it says nothing about the next loss.
  lose_position(6);
  rig_->capture().start();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "BinlogPurged"));
  EXPECT_NE(told("/lostPosition"), lost);
  EXPECT_EQ(told("/acceptedPosition"), "");
}

TEST_F(Decisions, cleanup_forgets_one_task_and_keeps_the_rows) {
  start_both("other");
  const auto other = apply();
  rig_->end_agents();
  start_both("forgotten");
  const auto reading = capture();
  const auto writing = apply();
  ASSERT_EQ(other.ledger_database, writing.ledger_database) << "both tasks are in one ledger";
  rig_->end_agents();
  const std::vector<std::string> configs{config::write(reading), config::write(writing)};
  const auto said = cleanup(configs);
  EXPECT_EQ(said.code, 0) << said.text;
  EXPECT_THAT(said.text, HasSubstr("topic forgotten is deleted"));
  EXPECT_THAT(said.text, HasSubstr("the ledger rows of " + writing.common.name));
  const auto topics_gone = [] {
    const auto topics = rig_->broker().topics();
    return std::ranges::find(topics, "forgotten") == topics.end() &&
           std::ranges::find(topics, "forgotten.state") == topics.end();
  };
  EXPECT_TRUE(eventually(topics_gone, seconds(30)));
  EXPECT_THAT(rig_->broker().topics(), Contains("other"));
  EXPECT_THAT(rig_->broker().topics(), Contains("other.state"));
  EXPECT_THAT(ledger_tasks(writing), Not(HasSubstr(writing.common.name)));
  EXPECT_THAT(ledger_tasks(writing), HasSubstr(other.common.name));
  EXPECT_EQ(rig_->destination().number("SELECT COUNT(*) FROM forgotten.t"), 3);
  // A Job tries again: what is gone is no failure.
  const auto again = cleanup(configs);
  EXPECT_EQ(again.code, 0) << again.text;

  // The same task from the beginning.
  insert(4);
  rig_->start_capture(reading);
  rig_->start_apply(writing);
  EXPECT_TRUE(equal());
}

TEST_F(Decisions, cleanup_leaves_a_topic_of_another_program) {
  name_ = "foreign";
  const auto reading = capture();
  rig_->broker().create_topic("foreign");
  kafka::Access access;
  access.bootstrap_servers = rig_->broker().bootstrap();
  const auto log = kafka::open_stream_log(access, "foreign");
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->append(0, {}, "not ours"));
  const auto refused = [&](const char* words) {
    const auto said = cleanup({config::write(reading)});
    EXPECT_EQ(said.code, 1) << said.text;
    EXPECT_THAT(said.text, HasSubstr(words));
    EXPECT_THAT(rig_->broker().topics(), Contains("foreign"));
  };
  refused("topic foreign: there is no foreign.state; it is not deleted");
  rig_->broker().create_topic("foreign.state");
  refused("topic foreign: it holds records, and test/foreign never claimed it");
  EXPECT_THAT(rig_->broker().topics(), Contains("foreign.state"));
}

TEST_F(Decisions, cleanup_leaves_a_topic_that_another_task_captured_into) {
  start_both("bank");
  rig_->end_agents();
  auto copy = capture();
  copy.common.name = "test/copy";
  const auto refused = [&] {
    const auto said = cleanup({config::write(copy)});
    EXPECT_EQ(said.code, 1) << said.text;
    EXPECT_THAT(said.text, HasSubstr("topic bank: test/bank captured into it; it is not deleted"));
    EXPECT_THAT(rig_->broker().topics(), Contains("bank"));
    EXPECT_THAT(rig_->broker().topics(), Contains("bank.state"));
  };
  refused();
  // Also when the mistaken one has it at the moment.
  rig_->start_capture(copy);
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Streaming", ""));
  rig_->end_agents();
  refused();
  // The topic's own task goes on.
  rig_->start_capture(capture());
  rig_->start_apply(apply());
  insert(4);
  EXPECT_TRUE(equal());
}

TEST_F(Decisions, cleanup_says_what_is_left) {
  start_both("undone");
  rig_->end_agents();
  auto reading = capture();
  auto writing = apply();
  const auto expect = [](const Said& said, int code, const char* words) {
    EXPECT_EQ(said.code, code) << said.text;
    EXPECT_THAT(said.text, HasSubstr(words));
    EXPECT_THAT(said.text, Not(HasSubstr(Rig::kPassword)));
    EXPECT_THAT(said.text, Not(HasSubstr("hunter2")));
  };
  // One part cannot be done; the other is.
  writing.credentials = write_credentials(rig_->secrets(), "wrong", Rig::kWriter, "hunter2");
  expect(cleanup({config::write(reading), config::write(writing)}), 1, "CredentialsRejected");
  EXPECT_TRUE(eventually([] { return std::ranges::count(rig_->broker().topics(), "undone") == 0; }, seconds(30)));
  EXPECT_THAT(ledger_tasks(writing), HasSubstr(writing.common.name));
  writing.credentials.password.secret_name = "nowhere";
  expect(cleanup({config::write(writing)}), 1, "SecretNotFound");
  expect(cleanup({"{}"}), 2, "is not the configuration of an agent");
  rig_->broker().stop();
  expect(cleanup({config::write(reading)}), 1, "undone");
  rig_->broker().start();
}

}  // namespace
}  // namespace datasync::test
