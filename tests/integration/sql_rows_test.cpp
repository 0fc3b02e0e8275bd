// Rows read by the sql layer and written by it again are the same rows, on a real server.

#include "tests/integration/sql_fixture.hpp"
#include "tests/integration/types_data.hpp"

namespace datasync::sql {
namespace {

using base::Reason;
using SqlRows = SqlTest;

TEST_F(SqlRows, every_type_keeps_every_value_from_table_to_table) {
  auto session = server_->connect();
  for (const auto& statement : test::edge_session()) session.execute(statement);
  for (const test::EdgeTable& table : test::edge_tables()) {
    SCOPED_TRACE(table.name);
    for (const char* database : {"a", "b"}) {
      session.execute(fmt::format("CREATE TABLE {} {}", quote_identifier(database, table.name), table.definition));
    }
    for (std::string insert : table.inserts(1)) {
      insert.replace(insert.find("{}"), 2, quote_identifier("a", table.name));
      session.execute(insert);
    }
    try {
      const auto schema = schema_of("a", table.name);
      const auto rows = read_rows(schema, "a");
      write_rows(*connect(), schema, "b", rows.bytes());
      expect_equal(table.name);
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what();
    }
  }
}

// Paging through keys of every kind, two rows at a time, gives the table once and in order.
TEST_F(SqlRows, ranges_of_any_key_page_through_the_table_once) {
  const std::vector<std::pair<std::string, std::string>> tables{
      {"(a INT, b VARCHAR(20) CHARACTER SET latin1, v INT, PRIMARY KEY (a, b))",
       "(1,'a',1),(1,'B',2),(1,'c ',3),(2,'',4),(2,'\xE9',5),(2,'z',6),(-3,'x',7)"},
      {"(k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY)",
       "('A'),('b'),('C'),('ä1'),('😀')"},
      {"(k VARCHAR(20) CHARACTER SET ucs2 PRIMARY KEY)", "('A'),('b'),('C'),('ä1'),('')"},
      {"(k BINARY(3), d DECIMAL(20,5), PRIMARY KEY (k, d))", "('a',-1.5),('a',2),('a',10),(x'00',3),(x'ffff',3)"},
      {"(k DATETIME(3), t TIME(2), PRIMARY KEY (k, t))",
       "('2020-01-01 00:00:00.5','-10:00:00'),('2020-01-01 "
       "00:00:00.5','800:00:00'),('0000-00-00','0'),('2019-00-00','1')"},
      {"(k TIMESTAMP(6) NOT NULL DEFAULT '2000-01-01', y YEAR, PRIMARY KEY (k, y))",
       "('2020-01-01 00:00:00.000001',1999),('2020-01-01 00:00:00.000001',0),('0000-00-00',2155),('2037-01-01',2000)"},
      {"(k ENUM('z','y','x'), s SET('p','q'), b BIT(40), PRIMARY KEY (k, s, b))",
       "('z','p',1),('y','p,q',1099511627775),('y','p,q',2),('x','',0),('x','q',0)"},
      {"(k UUID, i INET6, PRIMARY KEY (k, i))",
       "('123e4567-e89b-12d3-a456-426655440000','::1'),('023e4567-e89b-12d3-b456-426655440000','::1'),"
       "('123e4567-e89b-12d3-a456-426655440000','1::'),('fff00000-e89b-42d3-a456-426655440000','::')"},
      {"(f FLOAT, d DOUBLE, PRIMARY KEY (f, d))", "(0.1,0.1),(0.1,0.2),(-1e30,1),(3.4e38,1e308),(0.3,-0.1)"},
      {"(k BIGINT UNSIGNED, n TINYINT, PRIMARY KEY (k, n))",
       "(18446744073709551615,-1),(18446744073709551615,5),(0,0)"},
  };
  auto session = server_->connect();
  session.execute("SET sql_mode='ALLOW_INVALID_DATES'");
  for (const auto& [definition, values] : tables) {
    SCOPED_TRACE(definition);
    session.execute("CREATE OR REPLACE TABLE a.k " + definition);
    session.execute("INSERT INTO a.k VALUES " + values);
    const auto schema = schema_of("a", "k");
    const base::Buffer all = read_rows(schema, "a");
    base::Buffer paged;
    std::string key;
    for (std::size_t before = 1; before != paged.size();) {
      before = paged.size();
      const base::Buffer page = read_rows(schema, "a", {.after_key = key, .limit = 2});
      key = page.empty() ? key : last_key(schema, page.bytes());
      const std::size_t up_to = key.empty() ? 0 : read_rows(schema, "a", {.up_to_key = key}).size();
      EXPECT_EQ(up_to, paged.size() + page.size());
      paged.append(page.bytes());
    }
    EXPECT_EQ(paged.text(), all.text());
  }
}

// Text in a WHERE is compared as its column compares it, through the column's index.
TEST_F(SqlRows, keys_in_where_find_their_rows_through_the_index) {
  const std::vector<std::pair<std::string, std::string>> keys{
      {"VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", "concat('Käy ',seq)"},
      {"VARCHAR(20) CHARACTER SET latin1", "concat('Käy ',seq)"},
      {"VARCHAR(20) CHARACTER SET ucs2", "concat('Käy ',seq)"},
      {"CHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", "concat('Käy ',seq)"},
      {"VARBINARY(20)", "concat(x'ff00',seq)"},
      {"BINARY(6)", "concat(x'ff',seq)"},
      {"DECIMAL(30,10)", "seq/7"},
      {"BIGINT UNSIGNED", "18446744073709551615-seq"},
      {"DATETIME(6)", "'2020-01-01' + interval seq microsecond"},
      {"TIMESTAMP(6) NOT NULL DEFAULT '2000-01-01'", "'2020-01-01' + interval seq microsecond"},
      {"TIME(3)", "sec_to_time(-seq)"},
      {"UUID", "concat('123e4567-e89b-12d3-a456-', lpad(seq,12,'0'))"},
      {"INET6", "concat('::',seq)"},
      {"INET4", "concat('10.1.2.',seq)"},
      {"BIT(64)", "18446744073709551615-seq"},
      {"DOUBLE", "seq/7"},
      {"FLOAT", "seq/7"},
      {"DATE", "'2020-01-01' + interval seq day"},
  };
  auto session = server_->connect();
  auto connection = connect();
  for (const auto& [type, expression] : keys) {
    SCOPED_TRACE(type);
    session.execute(fmt::format("CREATE OR REPLACE TABLE a.t (k {} PRIMARY KEY, v INT)", type));
    session.execute(fmt::format("INSERT INTO a.t SELECT {}, 0 FROM a.seq_1_to_200", expression));
    const auto schema = schema_of("a", "t");
    const base::Buffer rows = read_rows(schema, "a");
    session.execute("ANALYZE TABLE a.t");
    for (const char* verb : {"UPDATE a.t SET v=v+1 WHERE k=", "DELETE FROM a.t WHERE k="}) {
      const std::string scanned = "SELECT variable_value FROM information_schema.session_status WHERE variable_name=";
      auto statement =
          BulkStatement::prepare(*connection, verb + placeholder(schema.columns[0], true), {{&schema.columns[0]}});
      ASSERT_TRUE(statement) << statement.error().what;
      message::RowReader reader(schema, rows.bytes());
      message::RowView row;
      while (reader.next(row).value()) (*statement)->bind(row.after.values[0]);
      ASSERT_TRUE(connection->execute("FLUSH STATUS"));
      auto affected = (*statement)->execute();
      ASSERT_TRUE(affected) << affected.error().what;
      EXPECT_EQ(*affected, 200U);
      EXPECT_EQ(connection->query_one(scanned + "'Handler_read_rnd_next'").value(), "0") << verb;
      EXPECT_EQ(connection->query_one(scanned + "'Handler_read_next'").value(), "0") << verb;
    }
  }
}

TEST_F(SqlRows, a_case_insensitive_key_finds_the_other_spelling) {
  server_->execute("CREATE TABLE a.t (k VARCHAR(10) CHARACTER SET latin1 PRIMARY KEY, v INT)");
  server_->execute("INSERT INTO a.t VALUES ('ABC', 1)");
  auto connection = connect();
  const auto schema = schema_of("a", "t");
  auto statement =
      BulkStatement::prepare(*connection, "UPDATE a.t SET k=? WHERE k=" + placeholder(schema.columns[0], true),
                             {{&schema.columns[0]}, {&schema.columns[0]}});
  ASSERT_TRUE(statement);
  (*statement)->bind(base::as_bytes("Abc"));
  (*statement)->bind(base::as_bytes("abc"));
  EXPECT_EQ((*statement)->execute().value(), 1U);
  EXPECT_EQ(server_->value("SELECT k FROM a.t"), "Abc");
}

TEST_F(SqlRows, matched_rows_count_although_nothing_changes) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, v INT)");
  server_->execute("INSERT INTO a.t VALUES (1,1),(2,2)");
  auto connection = connect();
  const auto schema = schema_of("a", "t");
  auto statement = BulkStatement::prepare(*connection, "UPDATE a.t SET v=1 WHERE id=?", {{&schema.columns[0]}});
  ASSERT_TRUE(statement);
  for (const std::int32_t id : {1, 2, 3}) (*statement)->bind(std::as_bytes(std::span(&id, 1)));
  EXPECT_EQ((*statement)->rows(), 3U);
  EXPECT_EQ((*statement)->execute().value(), 2U);
  EXPECT_EQ((*statement)->rows(), 0U);
}

TEST_F(SqlRows, values_as_large_as_max_allowed_packet_are_stored) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, x LONGBLOB, y LONGTEXT, z INT)");
  auto session = server_->connect();
  session.execute("INSERT INTO a.t VALUES (1, NULL, 'y', 7)");
  const auto schema = schema_of("a", "t");
  server_->execute("CREATE TABLE b.t LIKE a.t");
  auto connection = connect();
  auto statement = BulkStatement::prepare(*connection, insert_text(schema, "b"), insert_parameters(schema));
  ASSERT_TRUE(statement);
  const std::string whole(16U << 20U, 'x'), half(9U << 20U, 'h'), medium((16U << 20U) - 1, 'm');
  const std::vector<std::pair<std::string_view, std::string_view>> rows{
      {"a", "b"}, {whole, ""}, {half, half}, {medium, "m"}, {"", half}, {half, "h"}, {"c", "d"}};
  std::int32_t id = 0;
  for (const auto& [x, y] : rows) {
    ++id;
    (*statement)->bind(std::as_bytes(std::span(&id, 1)));
    (*statement)->bind(base::as_bytes(x));
    (*statement)->bind(base::as_bytes(y));
    (*statement)->bind_null();
  }
  auto affected = (*statement)->execute();
  ASSERT_TRUE(affected) << affected.error().what;
  EXPECT_EQ(*affected, rows.size());
  EXPECT_EQ(server_->value("SELECT GROUP_CONCAT(CONCAT(LENGTH(x),LEFT(x,1),LENGTH(y)) ORDER BY id) FROM b.t"),
            "1a1,16777216x0,9437184h9437184,16777215m1,09437184,9437184h1,1c1");

  const std::string too_large((16U << 20U) + 1, 'x');
  (*statement)->bind(std::as_bytes(std::span(&++id, 1)));
  (*statement)->bind(base::as_bytes(too_large));
  (*statement)->bind_null();
  (*statement)->bind_null();
  affected = (*statement)->execute();
  ASSERT_FALSE(affected);
  EXPECT_EQ(affected.error().reason, Reason::ValueNotStorable);
  EXPECT_NE(affected.error().what.find("column x"), std::string::npos) << affected.error().what;
  EXPECT_TRUE(connection->query_one("SELECT 1"));
}

TEST_F(SqlRows, a_row_with_enum_index_zero_changes_no_other_value) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, e ENUM('a','b'), v VARCHAR(9), n INT)");
  server_->execute("CREATE TABLE b.t (id INT PRIMARY KEY, e ENUM('a','b'), v VARCHAR(3), n INT NOT NULL)");
  const auto schema = schema_of("a", "t");
  auto connection = connect();
  auto statement = BulkStatement::prepare(*connection, insert_text(schema, "b"), insert_parameters(schema));
  ASSERT_TRUE(statement);
  const auto bind = [&](std::int32_t id, std::uint16_t e, std::string_view v, bool null) {
    (*statement)->bind(std::as_bytes(std::span(&id, 1)));
    (*statement)->bind(std::as_bytes(std::span(&e, 1)));
    (*statement)->bind(base::as_bytes(v));
    null ? (*statement)->bind_null() : (*statement)->bind(std::as_bytes(std::span(&id, 1)));
  };
  bind(1, 1, "one", false);
  bind(2, 0, "two", false);
  bind(3, 2, "thr", false);
  EXPECT_EQ((*statement)->execute().value(), 3U);
  EXPECT_EQ(server_->value("SELECT GROUP_CONCAT(CONCAT(e+0,e,v) ORDER BY id) FROM b.t"), "1aone,0two,2bthr");
  bind(4, 0, "too long", false);
  auto result = (*statement)->execute();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::ValueNotStorable) << result.error().what;
  bind(5, 0, "nul", true);
  result = (*statement)->execute();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::ConstraintViolated) << result.error().what;
  bind(6, 1, "too long", false);  // strict again
  result = (*statement)->execute();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::ValueNotStorable) << result.error().what;
}

TEST_F(SqlRows, a_duplicate_key_gives_its_row_and_a_usable_connection) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY)");
  server_->execute("INSERT INTO a.t VALUES (2)");
  auto connection = connect();
  const auto schema = schema_of("a", "t");
  auto statement = BulkStatement::prepare(*connection, "INSERT INTO a.t VALUES (?)", {{&schema.columns[0]}});
  ASSERT_TRUE(statement);
  ASSERT_TRUE(connection->begin());
  for (const std::int32_t id : {1, 2, 3}) (*statement)->bind(std::as_bytes(std::span(&id, 1)));
  const auto result = (*statement)->execute();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::ConstraintViolated);
  EXPECT_EQ(connection->last_errno(), 1062U);
  connection->rollback();
  const std::int32_t id = 9;
  (*statement)->bind(std::as_bytes(std::span(&id, 1)));
  EXPECT_EQ((*statement)->execute().value(), 1U);
  EXPECT_EQ(server_->value("SELECT GROUP_CONCAT(id ORDER BY id) FROM a.t"), "2,9");
}

TEST_F(SqlRows, an_unfinished_reader_leaves_a_usable_connection) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY) SELECT seq AS id FROM a.seq_1_to_1000");
  const auto schema = schema_of("a", "t");
  auto connection = connect();
  {
    auto reader = TableReader::open(*connection, schema, "a", "t", {});
    ASSERT_TRUE(reader);
    base::Buffer row;
    ASSERT_TRUE((*reader)->next(row).value());
  }
  EXPECT_EQ(connection->query_one("SELECT @@character_set_results").value(), "utf8mb4");
}

TEST_F(SqlRows, a_column_of_another_type_is_refused_by_name) {
  server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, v INT)");
  const auto schema = schema_of("a", "t");
  server_->execute("ALTER TABLE a.t MODIFY v VARCHAR(20)");
  auto connection = connect();
  const auto reader = TableReader::open(*connection, schema, "a", "t", {});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().reason, Reason::DestinationSchemaMismatch);
  EXPECT_NE(reader.error().what.find("column v"), std::string::npos);
}

TEST_F(SqlRows, a_wider_column_is_read_at_a_destination_only) {
  server_->execute("CREATE TABLE a.t (id TINYINT UNSIGNED PRIMARY KEY, v INT, f FLOAT, d DECIMAL(8,2), s VARCHAR(9))");
  server_->execute(
      "INSERT INTO a.t VALUES (1, -5, 0.1, 1.5, 'x'), (255, NULL, -1e30, -7, ''), (2, 2147483647, 0, 0, 'y ')");
  const auto schema = schema_of("a", "t");
  server_->execute("CREATE TABLE b.t (id INT PRIMARY KEY, v BIGINT, f DOUBLE, d DECIMAL(20,6), s TEXT)");
  server_->execute("INSERT INTO b.t SELECT * FROM a.t");
  EXPECT_EQ(read_rows(schema, "b").text(), read_rows(schema, "a").text());
  server_->execute("UPDATE b.t SET v = 4294967291 WHERE id = 1");
  EXPECT_NE(read_rows(schema, "b").text(), read_rows(schema, "a").text());
  auto source = connect(Role::Source);
  const auto reader = TableReader::open(*source, schema, "b", "t", {});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().reason, Reason::SchemaUnknown);
}

}  // namespace
}  // namespace datasync::sql
