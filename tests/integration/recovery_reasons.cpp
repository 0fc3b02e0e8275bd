// Each reason that stops an agent: the situation on real servers, then exactly what the message says, then the rows are
// compared.

#include "tests/integration/recovery_fixture.hpp"

namespace datasync::test {
namespace {

enum class Where : std::uint8_t { Source, Destination };

/// The message has a statement to run, and on which server.
struct Statement {
  const char* name;
  const char* reason;
  Where where;        ///< capture halts over the source, apply over the destination
  const char* regex;  ///< all matches are run
  void (*before)(Recovery&);
  void (*streaming)(Recovery&);  ///< null: it halts at the start
};

class ReasonStatement : public Recovery, public testing::WithParamInterface<Statement> {};

TEST_P(ReasonStatement, of_the_message_makes_the_rows_equal) {
  const auto& c = GetParam();
  prepare(c.name);
  c.before(*this);
  if (c.streaming != nullptr) {
    start_both();
    c.streaming(*this);
  } else {
    fixture_->start_capture(capture_);
    fixture_->start_apply(apply_);
  }
  auto& agent = c.where == Where::Source ? fixture_->capture() : fixture_->apply();
  ASSERT_TRUE(fixture_->becomes(agent, "Stalled", c.reason, seconds(60)));
  const auto text = message(agent);
  const std::regex regex(c.regex);
  ASSERT_TRUE(std::regex_search(text, regex)) << text;
  auto& server = c.where == Where::Source ? fixture_->source() : fixture_->destination();
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    server.execute(std::regex_replace(at->str(), std::regex(R"(\(\.\.\.\))"), "(id)"));
  EXPECT_TRUE(equal());
  sql("UPDATE {}.t SET v = 'later' WHERE id = 2");
  EXPECT_TRUE(equal());
}

void make_at_destination(Recovery& test) {
  test.destination_sql("CREATE DATABASE {}");
}

INSTANTIATE_TEST_SUITE_P(
    All, ReasonStatement,
    testing::Values(
        Statement{"preflight", "PreflightFailed", Where::Source, "SET GLOBAL [a-z_]+ ?= ?[A-Za-z']+",
                  [](Recovery& test) {
                    test.sql("SET GLOBAL binlog_row_image = MINIMAL");
                    test.sql("SET GLOBAL binlog_row_metadata = NO_LOG");
                  },
                  nullptr},
        Statement{"engine", "EngineNotTransactional", Where::Source, "ALTER TABLE [^ ]+ ENGINE=InnoDB",
                  [](Recovery& test) { test.sql("ALTER TABLE {}.t ENGINE=MyISAM"); }, nullptr},
        Statement{"keyless", "KeyMissing", Where::Source, R"(ALTER TABLE [^ ]+ ADD PRIMARY KEY \(\.\.\.\))",
                  [](Recovery& test) { test.sql("ALTER TABLE {}.t DROP PRIMARY KEY"); }, nullptr},
        Statement{"target_engine", "DestinationSchemaMismatch", Where::Destination, "ALTER TABLE [^ ]+ ENGINE=InnoDB",
                  [](Recovery& test) {
                    make_at_destination(test);
                    test.destination_sql("CREATE TABLE {}.t (id INT PRIMARY KEY, v VARCHAR(50)) ENGINE=MyISAM");
                  },
                  nullptr},
        Statement{"target_missing", "DestinationTableMissing", Where::Destination, "CREATE TABLE [^\n]*",
                  [](Recovery& test) {
                    make_at_destination(test);
                    test.destination_sql("CREATE TABLE {}.u (id INT PRIMARY KEY, v VARCHAR(50))");
                    test.apply_.create_tables = false;
                  },
                  nullptr},
        Statement{"added_column", "SchemaChanged", Where::Destination, "ALTER TABLE [^\n]* ADD COLUMN [^\n]*",
                  [](Recovery& test) { test.apply_.schema_changes = config::SchemaChanges::Halt; },
                  [](Recovery& test) {
                    test.sql("ALTER TABLE {}.t ADD COLUMN c INT NULL");
                    test.sql("INSERT INTO {}.t VALUES (4, 'd', 4)");
                  }}),
    [](const auto& row) { return row.param.name; });

// What the topic or its state has lost cannot be had again: the rows are, from the source.
class ReasonBeginAgain : public Recovery {
 protected:
  /// docs/operate.md: on another topic, with empty tables.
  void begin_on_another_topic() {
    fixture_->end_agents();
    for (const auto* table : {"t", "u"}) destination_sql(fmt::format("DELETE FROM {{}}.{}", table));
    capture_.common.channel.topic = apply_.common.channel.topic = name_ + "_2";
    fixture_->start_capture(capture_);
    fixture_->start_apply(apply_);
    EXPECT_TRUE(equal());
  }
  /// Everything of the topic that was written so far is removed by retention.
  void expire() {
    const auto end = end_of_topic();
    fixture_->broker().alter_topic(name_, {{"retention.ms", "1"}});
    ASSERT_TRUE(eventually([&] { return begin_of_topic() >= end; }, seconds(60)));
    fixture_->broker().alter_topic(name_, {{"retention.ms", "-1"}});
  }
};

TEST_F(ReasonBeginAgain, offset_expired) {
  prepare("expired");
  start_both();
  fixture_->apply().process().terminate();
  sql("DELETE FROM {}.t WHERE id = 1");
  expire();
  fixture_->apply().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "OffsetExpired", seconds(60)));
  begin_on_another_topic();
}

TEST_F(ReasonBeginAgain, position_unknown_is_accepted) {
  prepare("unknown");
  capture_.checkpoint_every = std::chrono::minutes(10);  // one that came after the copy would be enough to go on from
  start_both();
  fixture_->capture().process().kill();
  sql("DELETE FROM {}.t WHERE id = 1");
  expire();
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "PositionUnknown", seconds(60)));
  capture_.accept_position_lost = fixture_->capture().status().value_or(AgentStatus{}).at("/lostPosition").value_or("");
  ASSERT_NE(capture_.accept_position_lost, "");
  restart_capture();
  EXPECT_TRUE(equal());
}

TEST_F(ReasonBeginAgain, topic_missing) {
  prepare("missing");
  start_both();
  fixture_->broker().delete_topic(name_);
  sql("DELETE FROM {}.t WHERE id = 1");
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "TopicMissing", seconds(60)));
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "TopicMissing", seconds(60)));
  begin_on_another_topic();
}

TEST_F(ReasonBeginAgain, log_truncated) {
  prepare("truncated");
  start_both();
  fixture_->capture().process().terminate();
  fixture_->broker().delete_topic(name_ + ".state");
  fixture_->broker().create_topic(name_ + ".state", 1, {{"cleanup.policy", "compact"}});
  sql("DELETE FROM {}.t WHERE id = 1");
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "LogTruncated", seconds(60)));
  EXPECT_NE(message(fixture_->capture()).find("another channel.topic"), std::string::npos)
      << message(fixture_->capture());
  begin_on_another_topic();
}

TEST_F(ReasonBeginAgain, gtid_diverged) {
  prepare("diverged");
  start_both();
  fixture_->capture().process().kill();
  sql("RESET MASTER");
  sql("DELETE FROM {}.t WHERE id = 1");
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "GtidDiverged", seconds(60)));
  begin_on_another_topic();
}

// The way on halted again: a dump from the lower number begins with the higher one, also after each restart.
TEST_F(ReasonBeginAgain, number_that_falls_while_gtid_strict_mode_is_off) {
  prepare("fell");
  start_both();
  fixture_->capture().process().kill();
  {
    auto session = fixture_->source().connect();
    const auto number = std::stoull(session.value("SELECT SUBSTRING_INDEX(@@gtid_binlog_pos, '-', -1)"));
    session.execute("SET GLOBAL gtid_strict_mode = OFF");
    session.execute(fmt::format("SET SESSION gtid_seq_no = {}", number + 10));
    session.execute(in("INSERT INTO {}.t VALUES (7, 'above')"));
    session.execute(fmt::format("SET SESSION gtid_seq_no = {}", number + 5));
    session.execute(in("UPDATE {}.t SET v = 'below' WHERE id = 7"));
    session.execute("SET GLOBAL gtid_strict_mode = ON");
  }
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "GtidDiverged", seconds(60)));
  EXPECT_NE(message(fixture_->capture()).find("another channel.topic"), std::string::npos)
      << message(fixture_->capture());
  begin_on_another_topic();
  restart_capture();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", "", seconds(60)));
  EXPECT_TRUE(equal());
  sql("UPDATE {}.t SET v = 'later' WHERE id = 7");
  EXPECT_TRUE(equal());
  restart_capture();
  sql("DELETE FROM {}.t WHERE id = 7");
  EXPECT_TRUE(equal());
}

TEST_F(ReasonBeginAgain, ledger_invalid) {
  prepare("remade_topic");
  start_both();
  sql("DELETE FROM {}.t WHERE id = 1");
  ASSERT_TRUE(equal());
  fixture_->end_agents();
  for (const auto* topic : {"", ".state"}) fixture_->broker().delete_topic(name_ + topic);
  sql("DELETE FROM {}.t WHERE id = 2");
  fixture_->start_capture(capture_);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", "", seconds(60)));
  // As many records as the ledger has seen of the former topic.
  const auto seen = fixture_->destination().number(in("SELECT next_offset FROM {}_ledger.ledger"));
  ASSERT_TRUE(eventually([&] { return end_of_topic() > seen; }, seconds(60)));
  fixture_->start_apply(apply_);
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "LedgerInvalid", seconds(60)));
  const auto text = message(fixture_->apply());
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("DELETE FROM [^ ]+ WHERE task='[^']+' AND topic='[^']+'")))
      << text;
  fixture_->apply().process().terminate();
  for (const auto* table : {"t", "u"}) destination_sql(fmt::format("DELETE FROM {{}}.{}", table));
  fixture_->destination().execute(found.str());
  fixture_->apply().start();
  EXPECT_TRUE(equal());
}

TEST_F(ReasonBeginAgain, topic_misconfigured) {
  prepare("misconfigured");
  fixture_->broker().create_topic(name_, 1, {{"cleanup.policy", "compact"}});
  fixture_->broker().create_topic(name_ + ".state", 1, {{"cleanup.policy", "compact"}});
  fixture_->start_capture(capture_);
  fixture_->start_apply(apply_);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "TopicMisconfigured", seconds(60)));
  EXPECT_NE(message(fixture_->capture()).find("cleanup.policy"), std::string::npos) << message(fixture_->capture());
  fixture_->broker().alter_topic(name_, {{"cleanup.policy", "delete"}});
  EXPECT_TRUE(equal());
}

}  // namespace
}  // namespace datasync::test
