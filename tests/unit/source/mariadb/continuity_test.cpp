#include "agents/source/mariadb/continuity.hpp"

#include <gtest/gtest.h>

#include "agents/source/mariadb/server_facts.hpp"

namespace datasync::source::mariadb {
namespace {

message::GtidSet set(std::string_view text) {
  return *message::GtidSet::parse(text);
}

struct Row {
  const char* name;
  const char *executed, *oldest, *from, *newest;
  bool replicated;
  Fitness expected;
};

class Judge : public testing::TestWithParam<Row> {};

TEST_P(Judge, gives_the_expected_verdict) {
  const auto& r = GetParam();
  HistoryFacts facts;
  facts.executed = facts.binlog = set(r.executed);
  facts.oldest = set(r.oldest);
  facts.ever_replicated = r.replicated;
  EXPECT_EQ(judge(facts, {set(r.from), set(r.newest)}), r.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Replica, Judge,
    testing::Values(
        Row{"good_when_it_has_the_position_and_the_binlogs_after_it", "0-1-100", "0-1-40", "0-1-50", "0-1-50", true,
            Fitness::Good},
        Row{"good_at_exactly_the_position", "0-1-50", "0-1-50", "0-1-50", "0-1-50", true, Fitness::Good},
        Row{"behind_when_it_has_executed_less", "0-1-49", "", "0-1-50", "0-1-50", true, Fitness::Behind},
        Row{"behind_when_one_stream_has_more", "0-1-60", "", "0-1-50", "0-1-70", true, Fitness::Behind},
        Row{"behind_when_it_lacks_a_domain", "0-1-60", "", "0-1-50,2-1-1", "0-1-50,2-1-1", true, Fitness::Behind},
        Row{"purged_when_its_first_binlog_begins_later", "0-1-100", "0-1-51", "0-1-50", "0-1-50", true,
            Fitness::Purged},
        Row{"purged_when_a_new_domain_is_purged", "0-1-100,1-1-9", "1-1-3", "0-1-50", "0-1-50", true, Fitness::Purged},
        Row{"diverged_when_another_server_wrote_the_same_number", "0-2-50", "", "0-1-50", "0-1-50", true,
            Fitness::Diverged},
        Row{"good_when_another_primary_went_on", "0-2-51", "", "0-1-50", "0-1-50", true, Fitness::Good},
        Row{"diverged_when_a_primary_has_less_than_was_published", "0-1-10", "", "0-1-50", "0-1-50", false,
            Fitness::Diverged}),
    [](const auto& row) { return row.param.name; });

sql::NamedRow status_row(const char* io, const char* sql, std::optional<std::string> seconds,
                         const char* connection = "") {
  return {{"Connection_name", connection},
          {"Slave_IO_Running", io},
          {"Slave_SQL_Running", sql},
          {"Last_IO_Errno", "2003"},
          {"Last_SQL_Errno", "1062"},
          {"Last_SQL_Error", "Duplicate entry 'secret'"},
          {"Seconds_Behind_Master", std::move(seconds)}};
}

TEST(ReplicationLagOf, is_that_of_the_latest_of_its_primaries) {
  EXPECT_TRUE(replication_lag_of({}, false).replicates);
  const auto both = replication_lag_of({status_row("Yes", "Yes", "4"), status_row("Yes", "Yes", "70")}, true);
  EXPECT_TRUE(both.replicates);
  EXPECT_EQ(both.seconds, 70);
  EXPECT_FALSE(both.unknown());
  EXPECT_FALSE(replication_lag_of({status_row("Yes", "No", {}), status_row("Yes", "Yes", "0")}, true).replicates);
  EXPECT_FALSE(replication_lag_of({status_row("Connecting", "Yes", {})}, true).replicates);
}

// Unknown lag was exported as 0.
TEST(ReplicationLagOf, is_unknown_and_not_0_when_one_primary_is_not_followed) {
  const auto stopped = replication_lag_of({status_row("Yes", "No", {}, "west"), status_row("Yes", "Yes", "0")}, true);
  EXPECT_TRUE(stopped.unknown());
  EXPECT_EQ(stopped.why, "connection west: Slave_IO_Running is Yes (error 2003), Slave_SQL_Running is No (error 1062)");
  EXPECT_TRUE(replication_lag_of({status_row("Yes", "Yes", {}), status_row("Yes", "Yes", "0")}, true).unknown());
  EXPECT_FALSE(replication_lag_of({}, false).unknown()) << "a primary is behind nothing";
}

TEST(ReplicationLagOf, a_replica_without_a_connection_does_not_replicate) {
  const auto reset = replication_lag_of({}, true);
  EXPECT_FALSE(reset.replicates);
  EXPECT_TRUE(reset.unknown());
}

// A replica waited for ever for the domain of a heartbeat table that another replica writes by itself.
TEST(LocalElsewhere, is_what_the_server_does_not_replicate) {
  HistoryFacts facts;
  facts.replicated = set("0-1-60");
  facts.binlog = facts.executed = set("0-1-60,99-3-7");
  EXPECT_TRUE(local_elsewhere(facts, {set("0-1-50,99-2-50"), set("0-1-50,99-2-50")}).empty()) << "a primary";
  facts.ever_replicated = true;
  const auto local = local_elsewhere(facts, {set("0-1-50,99-2-50"), set("0-1-50,99-2-50")});
  ASSERT_EQ(local, std::vector<std::uint32_t>{99});
  EXPECT_EQ(dump_position_at(facts, set("0-1-50,99-2-50"), local).text(), "0-1-50,99-3-7");
  EXPECT_EQ(dump_position_at(facts, set("0-1-50,99-2-50"), {}).text(), "0-1-50,99-2-50");
}

struct Lack {
  const char* name;
  const char *replicated, *binlog, *oldest, *from;
  Fitness expected;
};

class Reset : public testing::TestWithParam<Lack> {};

TEST_P(Reset, is_judged_by_what_the_binlog_contains) {
  const auto& r = GetParam();
  HistoryFacts facts;
  facts.replicated = set(r.replicated);
  facts.binlog = set(r.binlog);
  facts.executed = facts.binlog;
  facts.executed.unite(facts.replicated);
  facts.oldest = set(r.oldest);
  facts.ever_replicated = true;
  EXPECT_EQ(judge(facts, {set(r.from), set(r.from)}), r.expected);
}

// After RESET MASTER a replica seemed to have every binlog, because nothing is before its first one.
INSTANTIATE_TEST_SUITE_P(
    Binlog, Reset,
    testing::Values(
        Lack{"good_when_everything_before_it_is_published", "0-1-100", "", "", "0-1-100", Fitness::Good},
        Lack{"purged_when_it_took_what_is_needed", "0-1-100", "", "", "0-1-95", Fitness::Purged},
        Lack{"purged_in_one_of_two_domains", "0-1-100,1-1-9", "0-1-100", "", "0-1-100,1-1-8", Fitness::Purged},
        Lack{"left_to_the_dump_when_its_binlog_goes_on", "0-1-110", "0-1-110", "", "0-1-95", Fitness::Good},
        Lack{"purged_when_a_domain_is_in_no_binlog_at_all", "0-1-5,7-1-3", "0-1-5", "", "0-1-5", Fitness::Purged},
        Lack{"good_when_the_end_is_still_on_its_way", "0-1-99", "0-1-100", "", "0-1-95", Fitness::Good},
        Lack{"good_when_only_its_own_writes_are_in_it", "0-1-100", "0-1-90,9-2-4", "", "0-1-100,9-2-1", Fitness::Good}),
    [](const auto& row) { return row.param.name; });

/// A replica that follows 0-1 and has written 98-3 itself.
HistoryFacts replica_3() {
  HistoryFacts facts;
  facts.server_id = 3;
  facts.ever_replicated = facts.replicates_all_domains = true;
  facts.replicated = set("0-1-60");
  facts.binlog = facts.executed = set("0-1-60,98-3-7");
  facts.oldest = set("0-1-40,98-3-4");
  return facts;
}

// A domain of a new primary was taken for one of the former replica's own.
TEST(Continuity, a_domain_that_some_replica_has_replicated_is_waited_for) {
  const auto facts = replica_3();
  const message::GtidSet published = set("0-1-50,2-7-100");
  EXPECT_EQ(continuity(facts, {published, published}).without, std::vector<std::uint32_t>{2}) << "nothing is known";
  const auto found = continuity(facts, {published, published, {0, 2}});
  EXPECT_EQ(found.fitness, Fitness::Behind);
  EXPECT_EQ(found.lacking, std::vector<std::uint32_t>{2});
  EXPECT_TRUE(found.without.empty());
  const auto both = set("0-1-50,2-7-100,77-9-3");
  EXPECT_EQ(continuity(facts, {both, both, {0, 2}}).lacking, std::vector<std::uint32_t>{2})
      << "77 is another one's own";
  const auto late = set("0-1-70,2-7-100");
  EXPECT_TRUE(continuity(facts, {late, late, {0, 2}}).lacking.empty()) << "it lacks more than the domain";
  EXPECT_EQ(continuity(facts, {set("0-1-10,2-7-100"), published, {0, 2}}).fitness, Fitness::Behind);
  auto began = facts;
  began.replicated = set("0-1-60,2-7-9");
  began.binlog = began.executed = set("0-1-60,2-7-9,98-3-7");
  EXPECT_EQ(continuity(began, {published, published, {0, 2}}).fitness, Fitness::Behind);
  EXPECT_TRUE(continuity(began, {published, published, {0, 2}}).lacking.empty()) << "it comes by itself";
}

// A replica was refused for ever because the first of its own writes were purged, or they were published again.
TEST(Continuity, a_domain_that_only_this_replica_writes_is_read_from_now_on) {
  const auto facts = replica_3();
  const auto published = set("0-1-50");
  const auto found = continuity(facts, {published, published});
  EXPECT_EQ(found.fitness, Fitness::Good);
  EXPECT_EQ(found.own, std::vector<std::uint32_t>{98});
  EXPECT_EQ(dump_position_at(facts, published, found.own).text(), "0-1-50,98-3-7");
  // With domains that are local elsewhere.
  const auto elsewhere = set("0-1-50,77-9-3");
  const auto both = continuity(facts, {elsewhere, elsewhere});
  EXPECT_EQ(both.fitness, Fitness::Good);
  EXPECT_EQ(both.own, std::vector<std::uint32_t>{98});
  EXPECT_EQ(both.without, std::vector<std::uint32_t>{77});
  EXPECT_EQ(continuity(facts, {set("0-1-30"), published}).fitness, Fitness::Purged) << "the rest is judged as before";
}

TEST(Continuity, a_domain_is_a_replicas_own_only_when_that_is_proved) {
  const auto published = set("0-1-50");
  const source::Needed needed{published, published};
  auto other = replica_3();
  other.replicates_all_domains = false;  // it was the primary, and follows another one from its own position
  EXPECT_EQ(continuity(other, needed).fitness, Fitness::Purged);
  other = replica_3();
  other.server_id = 4;  // it has just arrived
  EXPECT_EQ(continuity(other, needed).fitness, Fitness::Purged);
  other = replica_3();
  other.replicated = set("0-1-60,98-3-7");  // its primary has sent it back
  EXPECT_EQ(continuity(other, needed).fitness, Fitness::Purged);
  other = replica_3();
  other.replicated = {};
  other.ever_replicated = false;
  EXPECT_EQ(continuity(other, needed).fitness, Fitness::Purged);
  EXPECT_EQ(continuity(replica_3(), {published, published, {98}}).fitness, Fitness::Purged) << "another one has it";
  const auto read = set("0-1-50,98-3-5");
  EXPECT_TRUE(continuity(replica_3(), {read, read}).own.empty()) << "it was read before, and is read from there";
}

TEST(ReplicatesAllDomains, with_slave_pos_on_every_connection) {
  auto row = status_row("Yes", "Yes", "0");
  row["Using_Gtid"] = "Slave_Pos";
  auto current = row;
  current["Using_Gtid"] = "Current_Pos";
  auto stopped = row;
  stopped["Slave_SQL_Running"] = "No";
  EXPECT_TRUE(replicates_all_domains({row}));
  EXPECT_TRUE(replicates_all_domains({row, row}));
  EXPECT_FALSE(replicates_all_domains({row, current}));
  EXPECT_FALSE(replicates_all_domains({row, stopped}));
  EXPECT_FALSE(replicates_all_domains({}));
}

TEST(Continuity, names_the_domains_that_are_not_needed) {
  HistoryFacts facts;
  facts.ever_replicated = true;
  facts.replicated = set("0-1-60");
  facts.binlog = facts.executed = set("0-1-60,99-3-7");
  const auto found = continuity(facts, {set("0-1-50,7-2-3,99-2-50"), set("0-1-50,7-2-3,99-2-50")});
  EXPECT_EQ(found.fitness, Fitness::Good);
  EXPECT_EQ(found.without, (std::vector<std::uint32_t>{7, 99}));
  const auto behind = continuity(facts, {set("0-1-50"), set("0-1-70,7-2-3")});
  EXPECT_EQ(behind.fitness, Fitness::Behind);
  EXPECT_TRUE(behind.without.empty());
}

}  // namespace
}  // namespace datasync::source::mariadb
