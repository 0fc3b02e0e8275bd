// What a user decides, with real servers and agents: exactly one lost position is given up; a task is forgotten
// (`datasync cleanup`) and begun again.

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "agents/kafka/logs.hpp"
#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Decisions : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = std::make_unique<Fixture>(FixtureOptions{}); }
  static void TearDownTestSuite() { fixture_.reset(); }
  void TearDown() override { fixture_->end_agents(); }

  /// A database and a topic of this name: table t with three rows, captured and applied.
  void start_both(const std::string& name) {
    name_ = name;
    fixture_->source().execute_all({"CREATE DATABASE " + name,
                                    fmt::format("CREATE TABLE {}.t (id INT PRIMARY KEY)", name),
                                    fmt::format("INSERT INTO {}.t VALUES (1), (2), (3)", name)});
    fixture_->start_capture(capture());
    fixture_->start_apply(apply());
    ASSERT_TRUE(equal());
  }
  [[nodiscard]] config::Capture capture() const {
    return fixture_->capture_config({{.name = "t", .tables = {name_ + ".t"}}}, name_);
  }
  [[nodiscard]] config::Apply apply() const { return fixture_->apply_config(name_, name_); }
  void insert(int id) { fixture_->source().execute(fmt::format("INSERT INTO {}.t VALUES ({})", name_, id)); }
  testing::AssertionResult equal() { return fixture_->eventually_equal({{name_ + ".t", ""}}, seconds(60)); }

  /// The capture agent is down while the source loses binlogs that it needs.
  void lose_position(int id) {
    fixture_->capture().process().kill();
    insert(id);
    const auto purged = [] {
      fixture_->source().execute("FLUSH BINARY LOGS");
      fixture_->source().execute(
          fmt::format("PURGE BINARY LOGS TO '{}'", fixture_->source().value("SHOW MASTER STATUS")));
      return fixture_->source().query("SHOW BINARY LOGS").size() == 1;
    };
    ASSERT_TRUE(eventually(purged, seconds(30)));
  }
  void capture_with(const config::Capture& config) {
    fixture_->forget(fixture_->capture());
    fixture_->start_capture(config);
  }
  static std::string status_text(const char* pointer) {
    return fixture_->capture().status().value_or(AgentStatus{}).at(pointer).value_or("");
  }

  /// Runs `datasync cleanup` over the configurations of both agents.
  struct CommandResult {
    int code = -1;
    std::string text;
  };
  static CommandResult cleanup(const std::vector<std::string>& configs) {
    ProcessOptions o;
    o.args = {built_program("datasync").string(), "cleanup"};
    int n = 0;
    for (const auto& text : configs) {
      const auto file = fixture_->folder() / fmt::format("cleanup-{}.json", n++);
      write_file(file, text);
      o.args.insert(o.args.end(), {"--config", file.string()});
    }
    o.log = fixture_->folder() / "cleanup.out";
    std::filesystem::remove(o.log);
    auto process = Process::start(o);
    const auto exit = process.wait(seconds(90));
    return {exit ? exit->code : -1, read_file(o.log)};
  }
  static std::string ledger_tasks(const config::Apply& a) {
    return fixture_->destination().value(
        fmt::format("SELECT GROUP_CONCAT(DISTINCT task ORDER BY task) FROM {}.ledger", a.ledger_database));
  }

  static inline std::unique_ptr<Fixture> fixture_;
  std::string name_;
};

TEST_F(Decisions, only_the_accepted_position_loss_is_applied) {
  start_both("accepted");
  lose_position(4);
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "BinlogPurged"));
  const auto lost = status_text("/lostPosition");
  ASSERT_FALSE(lost.empty());

  auto config = capture();
  config.accept_position_lost = "0-1-1";  // of another day
  capture_with(config);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "BinlogPurged"));
  EXPECT_EQ(status_text("/lostPosition"), lost);
  EXPECT_EQ(status_text("/acceptedPosition"), "");

  config.accept_position_lost = lost;
  capture_with(config);
  EXPECT_TRUE(equal());
  EXPECT_EQ(status_text("/acceptedPosition"), lost);
  EXPECT_EQ(status_text("/lostPosition"), "");
  insert(5);
  EXPECT_TRUE(equal());

  // The word stays in the configuration: it says nothing about the next loss.
  lose_position(6);
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "BinlogPurged"));
  EXPECT_NE(status_text("/lostPosition"), lost);
  EXPECT_EQ(status_text("/acceptedPosition"), "");
}

TEST_F(Decisions, cleanup_removes_one_task_and_keeps_the_rows) {
  start_both("other");
  const auto other = apply();
  fixture_->end_agents();
  start_both("forgotten");
  const auto reading = capture();
  const auto writing = apply();
  ASSERT_EQ(other.ledger_database, writing.ledger_database) << "both tasks are in one ledger";
  fixture_->end_agents();
  const std::vector<std::string> configs{config::write(reading), config::write(writing)};
  const auto result = cleanup(configs);
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_THAT(result.text, HasSubstr("topic forgotten is deleted"));
  EXPECT_THAT(result.text, HasSubstr("the ledger rows of " + writing.common.name));
  const auto topics_gone = [] {
    const auto topics = fixture_->broker().topics();
    return std::ranges::find(topics, "forgotten") == topics.end() &&
           std::ranges::find(topics, "forgotten.state") == topics.end();
  };
  EXPECT_TRUE(eventually(topics_gone, seconds(30)));
  EXPECT_THAT(fixture_->broker().topics(), Contains("other"));
  EXPECT_THAT(fixture_->broker().topics(), Contains("other.state"));
  EXPECT_THAT(ledger_tasks(writing), Not(HasSubstr(writing.common.name)));
  EXPECT_THAT(ledger_tasks(writing), HasSubstr(other.common.name));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM forgotten.t"), 3);
  // A Job tries again: what is gone is no failure.
  const auto again = cleanup(configs);
  EXPECT_EQ(again.code, 0) << again.text;

  // The same task from the beginning.
  insert(4);
  fixture_->start_capture(reading);
  fixture_->start_apply(writing);
  EXPECT_TRUE(equal());
}

TEST_F(Decisions, cleanup_keeps_a_topic_of_another_program) {
  name_ = "foreign";
  const auto reading = capture();
  fixture_->broker().create_topic("foreign");
  kafka::Access access;
  access.bootstrap_servers = fixture_->broker().bootstrap();
  const auto log = kafka::open_stream_log(access, "foreign");
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->append(0, {}, "not ours"));
  const auto refused = [&](const char* words) {
    const auto result = cleanup({config::write(reading)});
    EXPECT_EQ(result.code, 1) << result.text;
    EXPECT_THAT(result.text, HasSubstr(words));
    EXPECT_THAT(fixture_->broker().topics(), Contains("foreign"));
  };
  refused("topic foreign: there is no foreign.state; it is not deleted");
  fixture_->broker().create_topic("foreign.state");
  refused("topic foreign: it holds records, and test/foreign never claimed it");
  EXPECT_THAT(fixture_->broker().topics(), Contains("foreign.state"));
}

TEST_F(Decisions, cleanup_keeps_a_topic_that_another_task_captured_into) {
  start_both("bank");
  fixture_->end_agents();
  auto copy = capture();
  copy.common.name = "test/copy";
  const auto refused = [&] {
    const auto result = cleanup({config::write(copy)});
    EXPECT_EQ(result.code, 1) << result.text;
    EXPECT_THAT(result.text, HasSubstr("topic bank: test/bank captured into it; it is not deleted"));
    EXPECT_THAT(fixture_->broker().topics(), Contains("bank"));
    EXPECT_THAT(fixture_->broker().topics(), Contains("bank.state"));
  };
  refused();
  // Also when the mistaken one has it at the moment.
  fixture_->start_capture(copy);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", ""));
  fixture_->end_agents();
  refused();
  // The topic's own task continues.
  fixture_->start_capture(capture());
  fixture_->start_apply(apply());
  insert(4);
  EXPECT_TRUE(equal());
}

TEST_F(Decisions, cleanup_reports_what_remains) {
  start_both("undone");
  fixture_->end_agents();
  auto reading = capture();
  auto writing = apply();
  const auto expect = [](const CommandResult& result, int code, const char* words) {
    EXPECT_EQ(result.code, code) << result.text;
    EXPECT_THAT(result.text, HasSubstr(words));
    EXPECT_THAT(result.text, Not(HasSubstr(Fixture::kPassword)));
    EXPECT_THAT(result.text, Not(HasSubstr("hunter2")));
  };
  // One part cannot be done; the other is.
  writing.credentials = write_credentials(fixture_->secrets(), "wrong", Fixture::kWriter, "hunter2");
  expect(cleanup({config::write(reading), config::write(writing)}), 1, "CredentialsRejected");
  EXPECT_TRUE(eventually([] { return std::ranges::count(fixture_->broker().topics(), "undone") == 0; }, seconds(30)));
  EXPECT_THAT(ledger_tasks(writing), HasSubstr(writing.common.name));
  writing.credentials.password.secret_name = "nowhere";
  expect(cleanup({config::write(writing)}), 1, "SecretNotFound");
  expect(cleanup({"{}"}), 2, "is not the configuration of an agent");
  fixture_->broker().stop();
  expect(cleanup({config::write(reading)}), 1, "undone");
  fixture_->broker().start();
}

}  // namespace
}  // namespace datasync::test
