// What once went wrong in the capture agent and must not again.

#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/source/mariadb/binlog_stream.hpp"
#include "tests/integration/capture_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience{60};

class CaptureRegressions : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<CaptureEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }

  MariaDbServer& source() { return environment_->source(); }
  std::vector<config::Type> simple(const std::string& db) {
    source().execute_all({"CREATE DATABASE " + db, "CREATE TABLE " + db + ".t (id INT PRIMARY KEY, v LONGTEXT)",
                          "INSERT INTO " + db + ".t VALUES (1, 'first')"});
    return {config::Type{"things", {db + ".t"}, {}, {}}};
  }
  testing::AssertionResult equal(const std::string& db) {
    CaptureReader reader(environment_->broker().bootstrap(), db, 1);
    return topic_has(reader, db + ".t", environment_->rows_of(source(), db, "t"));
  }

  static std::unique_ptr<CaptureEnvironment> environment_;
};
std::unique_ptr<CaptureEnvironment> CaptureRegressions::environment_;

// A session kept the limit it began with: raising it changed nothing until a restart.
TEST_F(CaptureRegressions, row_too_large_is_sent_after_the_topic_limit_is_raised) {
  const auto types = simple("large");
  environment_->broker().create_topic("large", 1, {{"max.message.bytes", "50000"}});
  Agent agent(environment_->folder(), "large", environment_->config("large", types));
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  source().execute("INSERT INTO large.t VALUES (2, REPEAT('x', 200000))");
  ASSERT_TRUE(becomes(agent, "Stalled", "RowTooLarge", kPatience));
  EXPECT_NE(agent.status()->message.find("a row of large.t (key `id`)"), std::string::npos) << agent.status()->message;
  EXPECT_EQ(agent.status()->message.find("id=2"), std::string::npos) << "the value of a key";
  environment_->broker().alter_topic("large", {{"max.message.bytes", "1000000"}});
  EXPECT_TRUE(becomes(agent, "Streaming", "", kPatience));
  environment_->drain(agent, source());
  EXPECT_TRUE(equal("large"));
}

// Every dump hears a made-up rotate before it is cut: counting from zero at the first event, both reconnected for ever.
TEST_F(CaptureRegressions, two_clients_with_one_server_id_are_detected) {
  auto config = environment_->config("twin_ids", simple("twin_ids"));
  config.server_id = 4711;
  Agent agent(environment_->folder(), "twin_ids", config);
  agent.start();
  agent.wait_for("Streaming", seconds(60));
  {
    sql::ConnectOptions options;
    options.role = sql::Role::Source;
    options.server = {"127.0.0.1", source().port()};
    options.user = "repl";
    options.password = base::Secret("repl");
    const sql::DumpOptions dump{source().gtid(), 4711, milliseconds(100), milliseconds(2000)};
    const std::jthread duplicate([&](std::stop_token stop) {
      while (!stop.stop_requested()) {
        const auto stream = sql::BinlogStream::open(options, dump);
        while (stream && !stop.stop_requested() && (*stream)->next()) {
        }
      }
    });
    EXPECT_TRUE(becomes(agent, "Stalled", "DuplicateServerId", kPatience));
  }
  EXPECT_TRUE(becomes(agent, "Streaming", "", kPatience));
}

// The commit of an XA transaction whose prepare stands before the position, as when it was prepared in the instant in
// which a new stream began. It halted for good, whatever onPositionLost said.
TEST_F(CaptureRegressions, xa_commit_without_its_rows_stops_or_copies_as_declared) {
  auto config = environment_->config("xa_lost", simple("xa_lost"));
  {
    Agent agent(environment_->folder(), "xa_lost1", config);
    agent.start();
    agent.wait_for("Streaming", seconds(60));
    {
      auto session = source().connect();
      for (const auto* statement :
           {"SET SESSION sql_log_bin = 0", "XA START 'early'", "INSERT INTO xa_lost.t VALUES (2, 'early')",
            "XA END 'early'", "XA PREPARE 'early'"})
        session.execute(statement);
    }
    // Another session may commit it as soon as the server has noticed that the first one is gone.
    ASSERT_TRUE(eventually(
        [&] {
          try {
            source().execute("XA COMMIT 'early'");
            return true;
          } catch (const SqlError&) {
            return false;
          }
        },
        seconds(20)));
    ASSERT_TRUE(becomes(agent, "Stalled", "PositionUnknown", kPatience));
  }
  config.on_position_lost = config::OnPositionLost::Resnapshot;
  Agent agent(environment_->folder(), "xa_lost2", config);
  agent.start();
  ASSERT_TRUE(becomes(agent, "Streaming", "", kPatience));
  source().execute("INSERT INTO xa_lost.t VALUES (3, 'after')");
  environment_->drain(agent, source());
  EXPECT_TRUE(equal("xa_lost"));
}

// It began again at epoch 1, below those on the stream, and either every reader ignored it or it ended at each start.
TEST_F(CaptureRegressions, recreated_state_topic_is_reported_even_if_loss_is_accepted) {
  auto config = environment_->config("stateless", simple("stateless"));
  config.on_position_lost = config::OnPositionLost::Resnapshot;
  for (int epoch = 1; epoch <= 2; ++epoch) {
    Agent agent(environment_->folder(), fmt::format("stateless{}", epoch), config);
    agent.start();
    agent.wait_for("Streaming", seconds(60));
  }
  environment_->broker().delete_topic("stateless.state");
  environment_->broker().create_topic("stateless.state", 1, {{"cleanup.policy", "compact"}});
  Agent agent(environment_->folder(), "stateless3", config);
  agent.start();
  ASSERT_TRUE(becomes(agent, "Stalled", "LogTruncated", kPatience));
  EXPECT_NE(agent.status()->message.find("the state topic holds no claim"), std::string::npos);
}

}  // namespace
}  // namespace datasync::test
