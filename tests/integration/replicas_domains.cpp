// GTID domains that one replica has and another has not: of the source, or of a replica's own.

#include "tests/integration/replicas_watch_fixture.hpp"

namespace datasync::test {
namespace {

/// Binlogs without the domains that tests before wrote in, for which every failover waits 20 seconds.
void forget_own_domains(MariaDbServer& replica) {
  replica.execute_all({"STOP SLAVE", "RESET MASTER", "START SLAVE"});
}

/// Its first binlogs, with what it wrote itself, are purged.
void purge(MariaDbServer& server) {
  server.execute("FLUSH LOCAL BINARY LOGS");
  await(
      "binlogs are purged",
      [&] {
        server.execute("PURGE BINARY LOGS TO '" + *server.query("SHOW BINARY LOGS").back()[0] + "'");
        return server.query("SHOW BINARY LOGS").size() == 1;
      },
      seconds(20));
}

// It was refused for ever as BinlogPurged; and what was not purged was published from its beginning, over newer rows.
TEST_F(ReplicasWatch, a_replica_is_not_excluded_by_a_purged_domain_of_its_own) {
  forget_own_domains(replica(0));
  const auto config = capture_of("purged", {0, 1});
  replica(1).execute_all({"SET SESSION gtid_domain_id = 97", "UPDATE purged.t SET v = -1 WHERE id = 6"});
  purge(replica(1));
  replica(1).execute_all(
      {"SET SESSION gtid_domain_id = 98", "UPDATE purged.t SET v = -1 WHERE id = 7", "SET SESSION gtid_domain_id = 0"});
  ASSERT_EQ(start("purged", config), 0U);
  source().execute("UPDATE purged.t SET v = 700 WHERE id = 7");
  ASSERT_TRUE(fixture_->becomes_equal(table("purged")));
  catch_up(1);
  replica(0).stop();
  insert("purged");
  EXPECT_TRUE(fixture_->becomes_equal(table("purged")));
  EXPECT_TRUE(reads(1));
  insert("purged");
  EXPECT_TRUE(fixture_->becomes_equal(table("purged"))) << "and it is read on";
  replica(0).start();
}

// Another replica, which followed the former primary only, was taken after 20 seconds: nothing of the new primary
// arrived any more, and the status was Streaming.
TEST_F(ReplicasWatch, a_domain_of_the_source_is_not_taken_for_one_of_the_former_replicas_own) {
  forget_own_domains(replica(0));
  forget_own_domains(replica(1));
  auto config = capture_of("promoted", {0, 1});
  ASSERT_EQ(start("promoted", config), 0U);
  MariaDbServer primary(fixture_->folder(), {.name = "promoted", .log_bin = true});
  primary.replicate_from(source());
  primary.wait_for_gtid(source().gtid());
  primary.execute_all({"STOP SLAVE", "RESET SLAVE ALL"});
  replica(0).replicate_from(primary);
  const auto write = [&] {
    primary.execute_all({"SET SESSION gtid_domain_id = 2", "INSERT INTO promoted.t (v) VALUES (1000)"});
  };
  const auto arrives = [&](const char* rows) {
    return fixture_->eventually_value(fixture_->destination(), "SELECT COUNT(*) FROM promoted.t WHERE v = 1000", rows);
  };
  write();
  ASSERT_TRUE(arrives("1"));
  replica(0).stop();
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "WaitingForReplica", ""));
  EXPECT_NE(message().find(address(1)), std::string::npos) << message();
  EXPECT_NE(message().find("GTID domains 2,"), std::string::npos) << message();
  fixture_->capture().kill_and_restart();
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "WaitingForReplica", ""));
  EXPECT_NE(message().find("GTID domains 2,"), std::string::npos) << "after a restart: " << message();

  // A replica that has it is enough.
  replica(0).start();
  write();
  EXPECT_TRUE(arrives("2"));
  EXPECT_TRUE(reads(0));

  // A user may accept that it does not come again.
  replica(0).stop();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "WaitingForReplica", ""));
  ASSERT_TRUE(eventually([&] { return message().find("GTID domains 2,") != std::string::npos; }, seconds(10)));
  config.accept_position_lost = fixture_->capture().status()->at("/lostPosition").value_or("");
  EXPECT_NE(config.accept_position_lost.find("2-"), std::string::npos);
  fixture_->forget(fixture_->capture());
  fixture_->start_capture(config);
  EXPECT_TRUE(arrives("0"));
  EXPECT_TRUE(fixture_->becomes_equal(table("promoted"))) << "as the former primary has it";
  EXPECT_TRUE(reads(1));

  // It does come again, by way of the former primary.
  source().execute("SET GLOBAL gtid_slave_pos = '" + source().gtid() + "'");
  source().replicate_from(primary);
  write();
  EXPECT_TRUE(arrives("3"));
  EXPECT_TRUE(fixture_->becomes_equal(table("promoted")));
  source().execute_all({"STOP SLAVE", "RESET SLAVE ALL"});
  replica(0).start();
  replica(0).replicate_from(source());
}

}  // namespace
}  // namespace datasync::test
