// What needs a user: the agent stops with a named reason, skips nothing, and continues once it is fixed.

#include <cstdlib>
#include <regex>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

/// Seconds of traffic that concerns no captured table.
int quiet_seconds() {
  const char* text = std::getenv("DATASYNC_QUIET_SECONDS");
  return text != nullptr && *text != '\0' ? std::atoi(text) : 5;
}

class Halts : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture_ = new Fixture({});
    fixture_->source().execute("CREATE DATABASE outside");
    fixture_->source().execute("CREATE TABLE outside.noise (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))");
  }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  void TearDown() override { fixture_->end_agents(); }

  /// A database, a topic and a ledger of its own for a test: table t with three rows.
  void prepare(const std::string& name, const std::string& columns = "id INT PRIMARY KEY, v VARCHAR(20)") {
    name_ = name;
    fixture_->source().execute_all({"CREATE DATABASE " + name, fmt::format("CREATE TABLE {}.t ({})", name, columns),
                                    fmt::format("INSERT INTO {}.t (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')", name)});
  }
  [[nodiscard]] std::string table() const { return name_ + ".t"; }
  [[nodiscard]] config::Capture capture() const {
    return fixture_->capture_config({{.name = "t", .tables = {table()}}}, name_);
  }
  [[nodiscard]] config::Apply apply() const {
    auto config = fixture_->apply_config(name_, name_);
    config.ledger_database = name_ + "_ledger";
    return config;
  }
  void start_both() {
    fixture_->start_capture(capture());
    fixture_->start_apply(apply());
    ASSERT_TRUE(equal());
  }
  void sql(const std::string& statement) { fixture_->source().execute(in_table(statement, table())); }
  void destination_sql(const std::string& statement) { fixture_->destination().execute(in_table(statement, table())); }
  testing::AssertionResult equal() { return fixture_->becomes_equal({{table(), ""}}); }
  testing::AssertionResult recovers() {
    // Stalled until the agent tries again: an agent that is still stalled at first is no failure here.
    return fixture_->eventually_equal({{table(), ""}}, seconds(60));
  }
  /// The server keeps a file while a dump of a client that is gone still holds it: asks until all is gone.
  static void purge_all() {
    const auto purged = [] {
      fixture_->source().execute("FLUSH BINARY LOGS");
      fixture_->source().execute(
          fmt::format("PURGE BINARY LOGS TO '{}'", fixture_->source().value("SHOW MASTER STATUS")));
      return fixture_->source().query("SHOW BINARY LOGS").size() == 1;
    };
    ASSERT_TRUE(eventually(purged, seconds(30)));
  }
  static std::string message(Agent& agent) { return agent.status().value_or(AgentStatus{}).message; }
  /// The destination has no more rows than before, for a moment.
  void expect_no_progress() {
    const auto rows = "SELECT COUNT(*) FROM " + table();
    const auto before = fixture_->destination().value(rows);
    sql("INSERT INTO {} (id, v) VALUES (900, 'later')");
    std::this_thread::sleep_for(milliseconds(700));
    EXPECT_EQ(fixture_->destination().value(rows), before);
  }

  static inline Fixture* fixture_ = nullptr;
  std::string name_;
};

TEST_F(Halts, PositionAdvancesWhileOnlyOtherTablesChange) {
  prepare("quiet");
  start_both();
  const auto end = std::chrono::steady_clock::now() + seconds(quiet_seconds());
  while (std::chrono::steady_clock::now() < end) {
    fixture_->source().execute("INSERT INTO outside.noise (v) VALUES ('noise')");
    std::this_thread::sleep_for(milliseconds(20));
  }
  // What was read is not needed any more: neither agent asks for it again.
  const auto position = fixture_->source().gtid();
  ASSERT_TRUE(eventually(
      [&] {
        const auto status = fixture_->apply().status();
        return status && status->at("/streams/0/gtids") == position;
      },
      seconds(30)))
      << position << fixture_->diagnostics();
  fixture_->capture().process().kill();
  purge_all();
  fixture_->capture().start();
  fixture_->apply().kill_and_restart();
  sql("INSERT INTO {} VALUES (4, 'd')");
  EXPECT_TRUE(equal());
}

TEST_F(Halts, BinlogsPurgedPastThePosition) {
  prepare("purged");
  start_both();
  fixture_->capture().process().kill();
  sql("INSERT INTO {} VALUES (4, 'lost to the binlog')");
  sql("UPDATE {} SET v = 'changed' WHERE id = 1");
  sql("DELETE FROM {} WHERE id = 2");
  purge_all();
  fixture_->capture().start();
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "BinlogPurged"));
  expect_no_progress();

  fixture_->forget(fixture_->capture());
  auto again = capture();
  again.on_position_lost = config::OnPositionLost::Resnapshot;
  fixture_->start_capture(again);
  EXPECT_TRUE(recovers());
  sql("INSERT INTO {} VALUES (6, 'after')");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, TopicDeleted) {
  prepare("deleted");
  start_both();
  fixture_->broker().delete_topic("deleted");
  sql("INSERT INTO {} VALUES (4, 'd')");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "TopicMissing", seconds(60)));
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "TopicMissing", seconds(60)));
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM deleted.t"), 3);
}

TEST_F(Halts, OffsetExpired) {
  prepare("expired");
  start_both();
  fixture_->apply().process().kill();
  sql("INSERT INTO {} VALUES (4, 'd')");
  std::this_thread::sleep_for(seconds(1));
  fixture_->broker().alter_topic("expired", {{"retention.ms", "1"}});
  ASSERT_TRUE(eventually([] { return fixture_->topic_bytes("expired-").empty(); }, seconds(30)));
  fixture_->broker().alter_topic("expired", {{"retention.ms", "-1"}});
  fixture_->apply().start();
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "OffsetExpired"));
  expect_no_progress();
}

TEST_F(Halts, ForeignBytesInTheTopicAndSkippedByName) {
  prepare("alien");
  start_both();
  run({"kcat", "-P", "-b", fixture_->broker().bootstrap(), "-t", "alien", "-p", "0"}, "who are you\n");
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "ForeignMessage"));
  expect_no_progress();
  const auto text = message(fixture_->apply());  // names topic, partition and offset
  EXPECT_NE(text.find("alien"), std::string::npos) << text;

  // A capture that starts over reads its own stream back: it must stand still too, or go on, but not lose its place.
  const auto watermarks =
      run({"kcat", "-C", "-b", fixture_->broker().bootstrap(), "-t", "alien", "-p", "0", "-e", "-q", "-f", "%o %s\\n"});
  const auto at = watermarks.find(" who are you");
  ASSERT_NE(at, std::string::npos);
  const auto line = watermarks.rfind('\n', at);
  const auto offset = watermarks.substr(line + 1, at - line - 1);
  EXPECT_NE(text.find(offset), std::string::npos) << text;
  fixture_->forget(fixture_->apply());
  auto skipping = apply();
  skipping.skip_offsets = {"0:" + offset};
  fixture_->start_apply(skipping);
  EXPECT_TRUE(equal());
}

TEST_F(Halts, WrongPasswordRecoversOnceTheSecretIsFixed) {
  prepare("secret");
  auto wrong_reader = capture();
  wrong_reader.credentials = write_credentials(fixture_->secrets(), "fixed-reader", Fixture::kReader, "wrong");
  auto wrong_writer = apply();
  wrong_writer.credentials = write_credentials(fixture_->secrets(), "fixed-writer", Fixture::kWriter, "wrong");
  auto& reader = fixture_->start_capture(wrong_reader);
  auto& writer = fixture_->start_apply(wrong_writer);
  EXPECT_TRUE(fixture_->becomes(reader, "Retrying", "CredentialsRejected"));
  EXPECT_TRUE(fixture_->becomes(writer, "Retrying", "CredentialsRejected"));
  for (const auto& page : {reader.get("/status"), writer.get("/status")}) {
    EXPECT_EQ(page.value_or("").find("pass'word"), std::string::npos);
  }
  write_secret(fixture_->secrets(), "fixed-reader", "password", Fixture::kPassword);
  write_secret(fixture_->secrets(), "fixed-writer", "password", Fixture::kPassword);
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, MissingGrantsAreNamedAndRecover) {
  prepare("grants");
  fixture_->source().create_user("poor", "p", "SELECT");
  fixture_->destination().create_user("poor", "p", "SELECT");
  const auto credentials = write_credentials(fixture_->secrets(), "poor", "poor", "p");
  auto reading = capture();
  reading.credentials = credentials;
  auto writing = apply();
  writing.credentials = credentials;
  auto& reader = fixture_->start_capture(reading);
  ASSERT_TRUE(fixture_->eventually_reason(reader, "PermissionDenied"));
  EXPECT_NE(message(reader).find("REPLICATION SLAVE"), std::string::npos) << message(reader);
  fixture_->source().create_reader("poor", "p");
  EXPECT_TRUE(fixture_->becomes(reader, "Streaming", ""));
  auto& writer = fixture_->start_apply(writing);
  ASSERT_TRUE(fixture_->eventually_reason(writer, "PreflightFailed"));
  EXPECT_NE(message(writer).find("GRANT SELECT, INSERT"), std::string::npos) << message(writer);
  fixture_->destination().create_writer("poor", "p");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, TableWithoutAKeyIsNamedAndRecovers) {
  prepare("keyless", "id INT, v VARCHAR(20)");
  auto& reader = fixture_->start_capture(capture());
  fixture_->start_apply(apply());
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "KeyMissing"));
  EXPECT_NE(message(reader).find("keyless.t"), std::string::npos) << message(reader);
  sql("ALTER TABLE {} ADD PRIMARY KEY (id)");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, TableWithADeclaredKeyIsCaptured) {
  prepare("declared", "id INT NOT NULL, v VARCHAR(20)");
  auto config = capture();
  config.types[0].key_columns = {{table(), {"id"}}};
  fixture_->start_capture(config);
  fixture_->start_apply(apply());
  EXPECT_TRUE(equal());
  sql("UPDATE {} SET v = 'x' WHERE id = 1");
  sql("DELETE FROM {} WHERE id = 2");
  EXPECT_TRUE(equal());
}

TEST_F(Halts, ValueTooLongForTheDestinationColumn) {
  prepare("narrow");
  start_both();
  destination_sql("ALTER TABLE {} MODIFY v VARCHAR(3)");
  sql("INSERT INTO {} VALUES (4, 'much too long')");
  const auto named = [&] {
    const auto status = fixture_->apply().status();
    return status && status->state == "Stalled" &&
           (status->reason == "ValueNotStorable" || status->reason == "DestinationSchemaMismatch");
  };
  ASSERT_TRUE(eventually(named, seconds(30))) << fixture_->diagnostics();
  EXPECT_NE(message(fixture_->apply()).find('v'), std::string::npos);
  expect_no_progress();
  destination_sql("ALTER TABLE {} MODIFY v VARCHAR(20)");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, RowThatDiffersFromTheSource) {
  prepare("drift");
  start_both();
  destination_sql("DELETE FROM {} WHERE id = 2");
  sql("UPDATE {} SET v = 'changed' WHERE id = 2");
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "RowConflict"));
  const auto text = message(fixture_->apply());
  EXPECT_NE(text.find("drift.t"), std::string::npos) << text;
  EXPECT_NE(text.find("(key id)"), std::string::npos) << text;
  expect_no_progress();
  destination_sql("INSERT INTO {} VALUES (2, 'b')");
  EXPECT_TRUE(recovers());

  destination_sql("DELETE FROM {} WHERE id = 3");
  destination_sql("INSERT INTO {} VALUES (7, 'in the way')");
  fixture_->forget(fixture_->apply());
  auto overwriting = apply();
  overwriting.on_conflict = config::OnConflict::Overwrite;
  fixture_->start_apply(overwriting);
  sql("UPDATE {} SET v = 'recovered' WHERE id = 3");
  sql("INSERT INTO {} VALUES (7, 'mine')");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, AllUnmetServerRequirementsAreReportedAtOnce) {
  prepare("preflight");
  fixture_->source().execute("SET GLOBAL binlog_row_metadata = MINIMAL");
  fixture_->source().execute("SET GLOBAL binlog_row_image = MINIMAL");
  auto& reader = fixture_->start_capture(capture());
  fixture_->start_apply(apply());
  EXPECT_TRUE(fixture_->becomes(reader, "Stalled", "PreflightFailed"));
  const auto text = message(reader);
  for (const auto* part : {"binlog_row_metadata", "binlog_row_image", "SET GLOBAL"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  fixture_->source().execute("SET GLOBAL binlog_row_metadata = FULL");
  fixture_->source().execute("SET GLOBAL binlog_row_image = FULL");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, SessionsThatWriteStatementsOrPartialRows) {
  prepare("sessions");
  start_both();
  auto session = fixture_->source().connect();
  session.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");  // else the server refuses statements
  session.execute("SET SESSION binlog_format = STATEMENT");
  session.execute("UPDATE sessions.t SET v = 'statement' WHERE id = 1");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "StatementFormat"));
  const auto message_text = message(fixture_->capture());
  EXPECT_NE(message_text.find("UPDATE sessions.t SET v = ? WHERE id = ?"), std::string::npos)
      << message_text << ": a value may be secret";
  expect_no_progress();
  fixture_->end_agents();

  prepare("partial");
  start_both();
  session.execute("SET SESSION binlog_format = ROW");
  session.execute("SET SESSION binlog_row_image = MINIMAL");
  session.execute("UPDATE partial.t SET v = 'partial' WHERE id = 1");
  EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "PartialRowImage"));
  expect_no_progress();
}

TEST_F(Halts, CapturedTableDroppedAtTheSource) {
  prepare("dropped");
  start_both();
  sql("DROP TABLE {}");
  const auto named = [&] {
    const auto reader = fixture_->capture().status();
    const auto writer = fixture_->apply().status();
    return (reader && reader->reason == "TableDropped") || (writer && writer->reason == "TableDropped");
  };
  EXPECT_TRUE(eventually(named, seconds(30))) << fixture_->diagnostics();
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM dropped.t"), 3);
}

// Skipping as the message said lost the end of the transaction, and each further advice gave away a good record.
TEST_F(Halts, SkippingTablesDroppedByOneStatementContinuesTheStream) {
  prepare("several");
  fixture_->source().execute_all({"CREATE TABLE several.a (id INT PRIMARY KEY)", "INSERT INTO several.a VALUES (1)",
                                  "CREATE TABLE several.b (id INT PRIMARY KEY)", "INSERT INTO several.b VALUES (1)"});
  fixture_->start_capture(
      fixture_->capture_config({{.name = "t", .tables = {table(), "several.a", "several.b"}}}, name_));
  fixture_->start_apply(apply());
  ASSERT_TRUE(fixture_->becomes_equal({{table(), ""}, {"several.a", ""}, {"several.b", ""}}));
  sql("INSERT INTO {} VALUES (4, 'before')");
  fixture_->source().execute("DROP TABLE several.a, several.b");
  sql("INSERT INTO {} VALUES (5, 'after')");
  sql("UPDATE {} SET v = 'too' WHERE id = 1");
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "TableDropped"));
  const auto text = message(fixture_->apply());
  EXPECT_NE(text.find("several.a, several.b were dropped"), std::string::npos) << text;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("skip-offsets=(0:[0-9]+),(0:[0-9]+) "))) << text;
  fixture_->forget(fixture_->apply());
  auto skipping = apply();
  skipping.skip_offsets = {found[1], found[2]};
  fixture_->start_apply(skipping);
  EXPECT_TRUE(equal());
  sql("DELETE FROM {} WHERE id = 2");
  EXPECT_TRUE(equal());
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM several.a"), 1);
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM several.b"), 1);
}

TEST_F(Halts, ConstraintOfTheDestination) {
  prepare("constrained");
  start_both();
  destination_sql("ALTER TABLE {} ADD CONSTRAINT short_only CHECK (v <> 'forbidden')");
  sql("INSERT INTO {} VALUES (4, 'forbidden')");
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "ConstraintViolated"));
  EXPECT_NE(message(fixture_->apply()).find("short_only"), std::string::npos) << message(fixture_->apply());
  expect_no_progress();
  destination_sql("ALTER TABLE {} DROP CONSTRAINT short_only");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, ReadOnlyDestinationIsWaitedFor) {
  prepare("readonly");
  start_both();
  fixture_->destination().execute("SET GLOBAL read_only = ON");
  sql("INSERT INTO {} VALUES (4, 'd')");
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Retrying", "DestinationReadOnly"));
  fixture_->destination().execute("SET GLOBAL read_only = OFF");
  EXPECT_TRUE(recovers());
}

TEST_F(Halts, WritableServerIsRefusedUnlessAllowed) {
  prepare("writable");
  auto strict = capture();
  strict.allow_primary = false;
  auto& reader = fixture_->start_capture(strict);
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "PreflightFailed"));
  EXPECT_NE(message(reader).find("allowPrimary"), std::string::npos) << message(reader);
}

}  // namespace
}  // namespace datasync::test
