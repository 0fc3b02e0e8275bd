// What once made copies stop for good or lose rows; each ends with the comparison.

#include <fmt/format.h>

#include "tests/integration/agree_fixture.hpp"

namespace datasync::test {
namespace {

/// What a topic has that a user creates without settings.
const std::map<std::string, std::string> kDefaults{{"max.message.bytes", "1048588"}};

class CopyDefects : public ImagesAgree {
 protected:
  /// A database and a topic of this name with the tables of these definitions, t0, t1, ...
  void prepare(const std::string& name, const std::vector<std::string>& definitions) {
    name_ = name;
    run("CREATE DATABASE " + name);
    type_ = {.name = "things", .tables = {}};
    for (std::size_t i = 0; i < definitions.size(); ++i) {
      type_.tables.push_back(fmt::format("{}.t{}", name, i));
      run(fmt::format("CREATE TABLE {}.t{} ({})", name, i, definitions[i]));
    }
  }
  void run(const std::string& statement) const {
    auto session = fixture_->source().connect();
    session.execute("USE mysql");  // sequence tables want some database
    session.execute("SET sql_mode=''");
    session.execute(statement);
  }
  config::Capture capture() const { return fixture_->capture_config({type_}, name_); }
  Agent& start_apply() const { return fixture_->start_apply(fixture_->apply_config(name_, name_)); }
  [[nodiscard]] std::vector<TablePair> pairs() const {
    std::vector<TablePair> out;
    for (const auto& t : type_.tables) out.push_back({t, ""});
    return out;
  }
  static std::string message(Agent& agent) {
    const auto status = agent.status();
    return status ? status->message : "";
  }

  std::string name_;
  config::Type type_;
};

// ADD COLUMN g POINT NOT NULL fills g with no bytes. The copy was on the topic and blocked every reader for good.
TEST_F(CopyDefects, EmptyGeometryIsNamedAndContinuesOnceItIsCorrected) {
  prepare("hollow", {"id INT PRIMARY KEY, v INT"});
  run("INSERT INTO hollow.t0 VALUES (1, 1), (2, 2)");
  run("ALTER TABLE hollow.t0 ADD COLUMN g POINT NOT NULL");
  auto& reader = fixture_->start_capture(capture());
  start_apply();
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "UnsupportedValue"));
  EXPECT_NE(message(reader).find("hollow.t0 has an empty value"), std::string::npos) << message(reader);
  run("UPDATE hollow.t0 SET g = POINT(1, 1) WHERE LENGTH(g) = 0");
  EXPECT_TRUE(fixture_->eventually_equal(pairs(), seconds(60)));
  run("INSERT INTO hollow.t0 (id, v) VALUES (3, 3)");  // without strict mode it is stored
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "UnsupportedValue"));
  run("UPDATE hollow.t0 SET v = 4 WHERE id = 3");
  run("UPDATE hollow.t0 SET g = POINT(2, 2) WHERE LENGTH(g) = 0");
  EXPECT_TRUE(fixture_->eventually_equal(pairs(), seconds(60)));
}

// A chunk ended with the row that was too large, the dump went on, and readers halted with ForeignMessage for good.
TEST_F(CopyDefects, RowTooLargeLeavesNoChunkOpen) {
  prepare("huge", {"id INT PRIMARY KEY, v LONGTEXT", "id INT PRIMARY KEY"});
  fixture_->broker().create_topic(name_, 1, kDefaults);
  run("INSERT INTO huge.t0 SELECT seq, REPEAT('x', 100000) FROM seq_1_to_8");
  run("INSERT INTO huge.t0 VALUES (9, REPEAT('y', 2000000))");
  auto& reader = fixture_->start_capture(capture());
  auto& writer = start_apply();
  for (int i = 0; i < 200; ++i) run(fmt::format("INSERT INTO huge.t1 VALUES ({})", i));
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "RowTooLarge"));
  const auto reported = message(reader);
  EXPECT_EQ(reported.find("id=9"), std::string::npos) << reported << "\nthe value of a key";
  const auto query = reported.find("SELECT `id`");
  ASSERT_NE(query, std::string::npos) << reported;
  EXPECT_EQ(fixture_->source().number(reported.substr(query, reported.find(" finds the largest") - query)), 9)
      << reported;
  for (int i = 200; i < 300; ++i) run(fmt::format("INSERT INTO huge.t1 VALUES ({})", i));
  EXPECT_NE(message(reader).find("max.message.bytes"), std::string::npos) << message(reader);
  fixture_->broker().alter_topic(name_, {{"max.message.bytes", "4000000"}});
  EXPECT_TRUE(fixture_->eventually_equal(pairs(), seconds(60)));
  EXPECT_NE(writer.status()->reason, "ForeignMessage");
}

// A row that the topic takes was refused because of the rows before it in the same record.
TEST_F(CopyDefects, RowsOfNearlyTheTopicsLimitAreCopiedAndStreamed) {
  prepare("nearly", {"id INT PRIMARY KEY, v LONGTEXT, c LONGTEXT COMPRESSED"});
  fixture_->broker().create_topic(name_, 1, kDefaults);
  const std::string rows = " SELECT seq, REPEAT('x', IF(seq % 5 = 0, 1040000, 30000)), REPEAT('z', seq % 3) FROM ";
  run("INSERT INTO nearly.t0" + rows + "seq_1_to_30");
  auto config = capture();
  config.record_bytes = 16U << 20U;
  fixture_->start_capture(config);
  start_apply();
  EXPECT_TRUE(fixture_->becomes_equal(pairs()));
  run("INSERT INTO nearly.t0" + rows + "seq_101_to_130");
  run("INSERT INTO nearly.t0 SELECT seq, 'a', REPEAT('y', IF(seq % 5 = 0, 1040000, 60000)) FROM seq_201_to_230");
  EXPECT_TRUE(fixture_->becomes_equal(pairs()));
}

// A sort compares the first 1024 bytes by default, the WHERE of the next chunk all of them: rows between were not
// copied.
TEST_F(CopyDefects, LongKeysWithoutAnIndexAreCopiedWhole) {
  prepare("long_keys", {"k VARCHAR(3000) CHARACTER SET ascii NOT NULL, v INT"});
  run("INSERT INTO long_keys.t0 SELECT CONCAT(REPEAT('a', 1500), 100 - seq), seq FROM seq_1_to_20");
  type_.key_columns["long_keys.t0"] = {"k"};
  auto config = capture();
  config.chunk_rows = 3;
  fixture_->start_capture(config);
  start_apply();
  EXPECT_TRUE(fixture_->becomes_equal(pairs()));
}

// Each end of a verification reports every table that differs, and nothing is sorted for it.
TEST_F(CopyDefects, VerificationReportsAllTablesThatDiffer) {
  prepare("differ", {"id INT PRIMARY KEY", "id INT PRIMARY KEY", "id INT PRIMARY KEY"});
  for (const auto& t : type_.tables) run(fmt::format("INSERT INTO {} VALUES (1), (2)", t));
  fixture_->destination().execute("CREATE DATABASE differ");
  for (const auto* t : {"differ.t0", "differ.t2"}) {
    fixture_->destination().execute(fmt::format("CREATE TABLE {} (id INT PRIMARY KEY)", t));
    fixture_->destination().execute(fmt::format("INSERT INTO {} VALUES (9)", t));
  }
  auto reading = capture();
  reading.common.mode = config::Mode::Once;
  auto writing = fixture_->apply_config(name_, name_);
  writing.common.mode = config::Mode::Once;
  fixture_->start_capture(reading);
  auto& writer = fixture_->start_apply(writing);
  ASSERT_TRUE(fixture_->becomes(writer, "Stalled", "VerifyFailed"));
  for (const auto* t : {"differ.t0", "differ.t2"})
    EXPECT_NE(message(writer).find(t), std::string::npos) << message(writer);
  EXPECT_EQ(message(writer).find("differ.t1"), std::string::npos) << message(writer);
  for (const auto* t : {"differ.t0", "differ.t2"})
    fixture_->destination().execute(fmt::format("DELETE FROM {} WHERE id = 9", t));
  EXPECT_TRUE(fixture_->becomes(writer, "Completed", "", seconds(60)));
  EXPECT_TRUE(fixture_->becomes_equal(pairs()));
}

// Rows of the same key on both sides of a chunk's border were never copied.
TEST_F(CopyDefects, KeyColumnsThatDoNotNameARowAreRefused) {
  prepare("ties", {"k VARCHAR(10) NOT NULL, v INT", "k INT, v INT", "k INT NOT NULL, v INT, UNIQUE (k)"});
  run("INSERT INTO ties.t0 VALUES ('a', 1), ('b', 2), ('B', 3), ('c', 4)");  // equal for the server
  run("INSERT INTO ties.t1 VALUES (NULL, 1), (NULL, 2), (3, 3)");
  run("INSERT INTO ties.t2 SELECT seq, seq FROM seq_1_to_50");
  for (const auto& t : type_.tables) type_.key_columns[t] = {"k"};
  auto config = capture();
  config.chunk_rows = 2;
  config.parallelism = 1;
  auto& reader = fixture_->start_capture(config);
  start_apply();
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "KeyMissing"));
  EXPECT_NE(message(reader).find("two rows of ties.t0 have the same values in k"), std::string::npos);
  run("UPDATE ties.t0 SET k = 'd' WHERE v = 3");
  ASSERT_TRUE(fixture_->eventually_value(fixture_->destination(), "SELECT COUNT(*) FROM ties.t0", "4"));
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "KeyMissing"));
  EXPECT_NE(message(reader).find("two rows of ties.t1"), std::string::npos) << message(reader);
  run("DELETE FROM ties.t1 WHERE v = 2");
  EXPECT_TRUE(fixture_->eventually_equal(pairs(), seconds(60)));
}

}  // namespace
}  // namespace datasync::test
