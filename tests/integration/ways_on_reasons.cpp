// Each reason that stops an agent: the situation on real servers, then exactly what the message says, then the rows are
// compared.

#include "tests/integration/ways_on_fixture.hpp"

namespace datasync::test {
namespace {

enum class Where : std::uint8_t { Source, Destination };

/// The message has a statement to run, and on which server.
struct Statement {
  const char* name;
  const char* reason;
  Where where;        ///< capture halts over the source, apply over the destination
  const char* regex;  ///< all matches are run
  void (*before)(WaysOn&);
  void (*streaming)(WaysOn&);  ///< null: it halts at the start
};

class ReasonStatement : public WaysOn, public testing::WithParamInterface<Statement> {};

TEST_P(ReasonStatement, that_the_message_names_is_run_and_leads_to_equal_rows) {
  const auto& c = GetParam();
  prepare(c.name);
  c.before(*this);
  if (c.streaming != nullptr) {
    start_both();
    c.streaming(*this);
  } else {
    rig_->start_capture(capture_);
    rig_->start_apply(apply_);
  }
  auto& agent = c.where == Where::Source ? rig_->capture() : rig_->apply();
  ASSERT_TRUE(rig_->becomes(agent, "Stalled", c.reason, seconds(60)));
  const auto text = message(agent);
  const std::regex regex(c.regex);
  ASSERT_TRUE(std::regex_search(text, regex)) << text;
  auto& server = c.where == Where::Source ? rig_->source() : rig_->destination();
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    server.execute(std::regex_replace(at->str(), std::regex(R"(\(\.\.\.\))"), "(id)"));
  EXPECT_TRUE(equal());
  sql("UPDATE {}.t SET v = 'later' WHERE id = 2");
  EXPECT_TRUE(equal());
}

void make_at_destination(WaysOn& w) {
  w.destination_sql("CREATE DATABASE {}");
}

INSTANTIATE_TEST_SUITE_P(
    All, ReasonStatement,
    testing::Values(
        Statement{"preflight", "PreflightFailed", Where::Source, "SET GLOBAL [a-z_]+ ?= ?[A-Za-z']+",
                  [](WaysOn& w) {
                    w.sql("SET GLOBAL binlog_row_image = MINIMAL");
                    w.sql("SET GLOBAL binlog_row_metadata = NO_LOG");
                  },
                  nullptr},
        Statement{"engine", "EngineNotTransactional", Where::Source, "ALTER TABLE [^ ]+ ENGINE=InnoDB",
                  [](WaysOn& w) { w.sql("ALTER TABLE {}.t ENGINE=MyISAM"); }, nullptr},
        Statement{"keyless", "KeyMissing", Where::Source, R"(ALTER TABLE [^ ]+ ADD PRIMARY KEY \(\.\.\.\))",
                  [](WaysOn& w) { w.sql("ALTER TABLE {}.t DROP PRIMARY KEY"); }, nullptr},
        Statement{"target_engine", "DestinationSchemaMismatch", Where::Destination, "ALTER TABLE [^ ]+ ENGINE=InnoDB",
                  [](WaysOn& w) {
                    make_at_destination(w);
                    w.destination_sql("CREATE TABLE {}.t (id INT PRIMARY KEY, v VARCHAR(50)) ENGINE=MyISAM");
                  },
                  nullptr},
        Statement{"target_missing", "DestinationTableMissing", Where::Destination, "CREATE TABLE [^\n]*",
                  [](WaysOn& w) {
                    make_at_destination(w);
                    w.destination_sql("CREATE TABLE {}.u (id INT PRIMARY KEY, v VARCHAR(50))");
                    w.apply_.create_tables = false;
                  },
                  nullptr},
        Statement{"added_column", "SchemaChanged", Where::Destination, "ALTER TABLE [^\n]* ADD COLUMN [^\n]*",
                  [](WaysOn& w) { w.apply_.schema_changes = config::SchemaChanges::Halt; },
                  [](WaysOn& w) {
                    w.sql("ALTER TABLE {}.t ADD COLUMN c INT NULL");
                    w.sql("INSERT INTO {}.t VALUES (4, 'd', 4)");
                  }}),
    [](const auto& row) { return row.param.name; });

// What the topic or its state has lost cannot be had again: the rows are, from the source.
class ReasonBeginAgain : public WaysOn {
 protected:
  /// docs/operate.md: on another topic, with empty tables.
  void begin_on_another_topic() {
    rig_->end_agents();
    for (const auto* table : {"t", "u"}) destination_sql(fmt::format("DELETE FROM {{}}.{}", table));
    capture_.common.channel.topic = apply_.common.channel.topic = name_ + "_2";
    rig_->start_capture(capture_);
    rig_->start_apply(apply_);
    EXPECT_TRUE(equal());
  }
  /// Everything of the topic that was written so far is removed by retention.
  void expire() {
    const auto end = end_of_topic();
    rig_->broker().alter_topic(name_, {{"retention.ms", "1"}});
    ASSERT_TRUE(eventually([&] { return begin_of_topic() >= end; }, seconds(60)));
    rig_->broker().alter_topic(name_, {{"retention.ms", "-1"}});
  }
};

TEST_F(ReasonBeginAgain, offset_expired) {
  prepare("expired");
  start_both();
  rig_->apply().process().terminate();
  sql("DELETE FROM {}.t WHERE id = 1");
  expire();
  rig_->apply().start();
  ASSERT_TRUE(rig_->becomes(rig_->apply(), "Stalled", "OffsetExpired", seconds(60)));
  begin_on_another_topic();
}

TEST_F(ReasonBeginAgain, position_unknown_is_accepted) {
  prepare("unknown");
  capture_.checkpoint_every = std::chrono::minutes(10);  // one that came after the copy would be enough to go on from
  start_both();
  rig_->capture().process().kill();
  sql("DELETE FROM {}.t WHERE id = 1");
  expire();
  rig_->capture().start();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "PositionUnknown", seconds(60)));
  capture_.accept_position_lost = rig_->capture().status().value_or(AgentStatus{}).at("/lostPosition").value_or("");
  ASSERT_NE(capture_.accept_position_lost, "");
  restart_capture();
  EXPECT_TRUE(equal());
}

TEST_F(ReasonBeginAgain, topic_missing) {
  prepare("missing");
  start_both();
  rig_->broker().delete_topic(name_);
  sql("DELETE FROM {}.t WHERE id = 1");
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "TopicMissing", seconds(60)));
  ASSERT_TRUE(rig_->becomes(rig_->apply(), "Stalled", "TopicMissing", seconds(60)));
  begin_on_another_topic();
}

TEST_F(ReasonBeginAgain, log_truncated) {
  prepare("truncated");
  start_both();
  rig_->capture().process().terminate();
  rig_->broker().delete_topic(name_ + ".state");
  rig_->broker().create_topic(name_ + ".state", 1, {{"cleanup.policy", "compact"}});
  sql("DELETE FROM {}.t WHERE id = 1");
  rig_->capture().start();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "LogTruncated", seconds(60)));
  EXPECT_NE(message(rig_->capture()).find("another channel.topic"), std::string::npos) << message(rig_->capture());
  begin_on_another_topic();
}

TEST_F(ReasonBeginAgain, gtid_diverged) {
  prepare("diverged");
  start_both();
  rig_->capture().process().kill();
  sql("RESET MASTER");
  sql("DELETE FROM {}.t WHERE id = 1");
  rig_->capture().start();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "GtidDiverged", seconds(60)));
  begin_on_another_topic();
}

// The way on halted again: a dump from the lower number begins with the higher one, also after each restart.
TEST_F(ReasonBeginAgain, number_that_falls_while_gtid_strict_mode_is_off) {
  prepare("fell");
  start_both();
  rig_->capture().process().kill();
  {
    auto session = rig_->source().connect();
    const auto number = std::stoull(session.value("SELECT SUBSTRING_INDEX(@@gtid_binlog_pos, '-', -1)"));
    session.execute("SET GLOBAL gtid_strict_mode = OFF");
    session.execute(fmt::format("SET SESSION gtid_seq_no = {}", number + 10));
    session.execute(in("INSERT INTO {}.t VALUES (7, 'above')"));
    session.execute(fmt::format("SET SESSION gtid_seq_no = {}", number + 5));
    session.execute(in("UPDATE {}.t SET v = 'below' WHERE id = 7"));
    session.execute("SET GLOBAL gtid_strict_mode = ON");
  }
  rig_->capture().start();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "GtidDiverged", seconds(60)));
  EXPECT_NE(message(rig_->capture()).find("another channel.topic"), std::string::npos) << message(rig_->capture());
  begin_on_another_topic();
  restart_capture();
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Streaming", "", seconds(60)));
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
  rig_->end_agents();
  for (const auto* topic : {"", ".state"}) rig_->broker().delete_topic(name_ + topic);
  sql("DELETE FROM {}.t WHERE id = 2");
  rig_->start_capture(capture_);
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Streaming", "", seconds(60)));
  // As many records as the ledger has seen of the former topic.
  const auto seen = rig_->destination().number(in("SELECT next_offset FROM {}_ledger.ledger"));
  ASSERT_TRUE(eventually([&] { return end_of_topic() > seen; }, seconds(60)));
  rig_->start_apply(apply_);
  ASSERT_TRUE(rig_->becomes(rig_->apply(), "Stalled", "LedgerInvalid", seconds(60)));
  const auto text = message(rig_->apply());
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("DELETE FROM [^ ]+ WHERE task='[^']+' AND topic='[^']+'")))
      << text;
  rig_->apply().process().terminate();
  for (const auto* table : {"t", "u"}) destination_sql(fmt::format("DELETE FROM {{}}.{}", table));
  rig_->destination().execute(found.str());
  rig_->apply().start();
  EXPECT_TRUE(equal());
}

TEST_F(ReasonBeginAgain, topic_misconfigured) {
  prepare("misconfigured");
  rig_->broker().create_topic(name_, 1, {{"cleanup.policy", "compact"}});
  rig_->broker().create_topic(name_ + ".state", 1, {{"cleanup.policy", "compact"}});
  rig_->start_capture(capture_);
  rig_->start_apply(apply_);
  ASSERT_TRUE(rig_->becomes(rig_->capture(), "Stalled", "TopicMisconfigured", seconds(60)));
  EXPECT_NE(message(rig_->capture()).find("cleanup.policy"), std::string::npos) << message(rig_->capture());
  rig_->broker().alter_topic(name_, {{"cleanup.policy", "delete"}});
  EXPECT_TRUE(equal());
}

}  // namespace
}  // namespace datasync::test
