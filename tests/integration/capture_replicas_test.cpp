// Which replica the capture agent reads, and what it believes about it.

#include <algorithm>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/capture_environment.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proxy.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience{60};

class CaptureReplicas : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<CaptureEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }

  MariaDbServer& source() { return environment_->source(); }
  MariaDbServer& replica(std::size_t i) { return environment_->replica(i); }
  std::vector<config::Type> simple(const std::string& db, int rows) {
    source().execute_all({"CREATE DATABASE " + db, "CREATE TABLE " + db + ".t (id INT PRIMARY KEY, v INT)",
                          fmt::format("INSERT INTO {0}.t SELECT seq, 0 FROM {0}.seq_1_to_{1}", db, rows)});
    catch_up();
    return {config::Type{"things", {db + ".t"}, {}, {}}};
  }
  void catch_up() {
    for (std::size_t i = 0; i < 2; ++i) replica(i).wait_for_gtid(source().gtid());
  }
  static std::string address(std::uint16_t port) { return fmt::format("127.0.0.1:{}", port); }
  /// Ends connections of the agent on a server: its dumps, or all others.
  static void end_connections(MariaDbServer& server, bool dumps) {
    for (const auto& row : agents_on(server))
      if ((row[1] == "Binlog Dump") == dumps) server.execute("KILL " + *row[0]);
  }
  static std::vector<SqlRow> agents_on(MariaDbServer& server) {
    return server.query("SELECT ID, COMMAND FROM information_schema.PROCESSLIST WHERE USER = 'reader'");
  }
  static bool has_dump(MariaDbServer& server) {
    return std::ranges::any_of(agents_on(server), [](const auto& row) { return row[1] == "Binlog Dump"; });
  }
  testing::AssertionResult equal(const std::string& db) {
    CaptureReader reader(environment_->broker().bootstrap(), db, 1);
    return topic_has(reader, db + ".t", environment_->rows_of(source(), db, "t"));
  }

  /// An agent that copies slowly from `replica(from)` through the proxy, and a replica 1 whose coordinates are far
  /// ahead of those of replica 0.
  struct Moving {
    std::unique_ptr<Proxy> proxy;
    std::unique_ptr<Agent> agent;
  };
  Moving copying(const std::string& db, std::size_t from) {
    Moving m;
    m.proxy = std::make_unique<Proxy>(replica(from).port());
    auto config = environment_->replica_config(db, simple(db, 6000));
    config.replicas = {{"127.0.0.1", m.proxy->port()}};
    config.chunk_rows = 50;
    while (replica(1).query("SHOW BINARY LOGS").size() < replica(0).query("SHOW BINARY LOGS").size() + 4)
      replica(1).execute("FLUSH LOCAL BINARY LOGS");
    m.proxy->delay(milliseconds(20));
    m.agent = std::make_unique<Agent>(environment_->folder(), db, config);
    m.agent->start();
    await(
        "some chunks are copied",
        [&] {
          const auto status = m.agent->status();
          return status && status->number("/snapshot/rows") > 200 && has_dump(replica(from));
        },
        kPatience);
    return m;
  }
  /// Changes of all rows, which replica 0 has in its binlog before the coordinates that replica 1 had before.
  void change(const std::string& db) {
    std::this_thread::sleep_for(seconds(1));
    for (int i = 0; i < 3; ++i) {
      source().execute("UPDATE " + db + ".t SET v = v + 1");
      std::this_thread::sleep_for(milliseconds(500));
    }
    catch_up();
    std::this_thread::sleep_for(seconds(1));
    for (int i = 0; i < 5; ++i) {
      replica(0).execute("FLUSH LOCAL BINARY LOGS");
      source().execute("UPDATE " + db + ".t SET v = v WHERE id = -1");
      source().execute(fmt::format("REPLACE INTO {}.t VALUES (100000, {})", db, i));
    }
  }

  static std::unique_ptr<CaptureEnvironment> environment_;
};
std::unique_ptr<CaptureEnvironment> CaptureReplicas::environment_;

// A Service over several replicas, or a name that moved: rows read from one server were given a place in the binlog of
// another one, after changes that are newer.
TEST_F(CaptureReplicas, a_host_name_of_another_server_keeps_rows_in_order) {
  const auto m = copying("moved", 0);
  m.proxy->change_upstream(replica(1).port());
  m.proxy->pass();
  end_connections(replica(0), false);
  change("moved");
  environment_->drain(*m.agent, source());
  EXPECT_TRUE(equal("moved"));
  EXPECT_TRUE(has_dump(replica(1))) << "the dump is restarted where the name resolves to";
}

TEST_F(CaptureReplicas, a_dump_restarted_on_another_server_keeps_rows_in_order) {
  const auto m = copying("restarted", 1);
  m.proxy->change_upstream(replica(0).port());
  m.proxy->pass();
  end_connections(replica(1), true);
  await(
      "the dump is restarted", [&] { return has_dump(replica(0)); }, kPatience);
  change("restarted");
  environment_->drain(*m.agent, source());
  EXPECT_TRUE(equal("restarted"));
}

// What a replica's dump finds lost was lost, without asking the next replica, and was read again at once.
TEST_F(CaptureReplicas, binlogs_missing_at_one_replica_are_read_at_the_next) {
  auto config = environment_->replica_config("hole", simple("hole", 50));
  {
    Agent agent(environment_->folder(), "hole1", config);
    agent.start();
    environment_->drain(agent, source());
    ASSERT_EQ(agent.status()->at("/replica"), address(replica(0).port()));
  }
  const auto next_file = [&](int id) {
    source().execute(fmt::format("INSERT INTO hole.t VALUES ({}, 1)", id));
    catch_up();
    std::vector<std::filesystem::path> files;
    for (std::size_t i = 0; i < 2; ++i) {
      files.push_back(replica(i).folder() / "data" / *replica(i).query("SHOW BINARY LOGS").back()[0]);
      replica(i).execute("FLUSH LOCAL BINARY LOGS");
    }
    return files;
  };
  next_file(1001);
  const auto files = next_file(1002);  // neither the first that is needed nor the last: only a dump looks at it
  next_file(1003);
  const auto hide = [&](std::size_t i) { std::filesystem::rename(files[i], files[i].string() + ".hidden"); };
  const auto show = [&](std::size_t i) { std::filesystem::rename(files[i].string() + ".hidden", files[i]); };
  hide(0);
  hide(1);
  {
    Agent agent(environment_->folder(), "hole2", config);
    agent.start();
    EXPECT_TRUE(becomes(agent, "Stalled", "BinlogPurged", kPatience)) << "both have lost it";
  }
  show(1);
  config.on_position_lost = config::OnPositionLost::Resnapshot;
  Agent agent(environment_->folder(), "hole3", config);
  agent.start();
  environment_->drain(agent, source());
  EXPECT_EQ(agent.status()->at("/replica"), address(replica(1).port()));
  EXPECT_EQ(read_file(agent.folder() / "log").find("everything is read again"), std::string::npos) << agent.log_tail();
  EXPECT_TRUE(equal("hole"));
  show(0);
}

// Lag was not looked at.
TEST_F(CaptureReplicas, starts_at_a_replica_that_replicates) {
  const auto config = environment_->replica_config("standing", simple("standing", 50));
  replica(0).execute("STOP SLAVE SQL_THREAD");
  Agent agent(environment_->folder(), "standing", config);
  agent.start();
  environment_->drain(agent, source());
  EXPECT_EQ(agent.status()->at("/replica"), address(replica(1).port()));
  replica(0).execute("START SLAVE SQL_THREAD");
  source().execute("INSERT INTO standing.t VALUES (1000, 1)");
  environment_->drain(agent, source());
  EXPECT_EQ(agent.status()->at("/replica"), address(replica(1).port())) << "a dump that works is kept";
  EXPECT_TRUE(equal("standing"));
  catch_up();
}

}  // namespace
}  // namespace datasync::test
