// A connection that breaks at any byte of an answer: what was read is an error or the whole answer, never a part of it.

#include <functional>
#include <span>

#include <fmt/format.h>

#include "agents/source/mariadb/binlog_stream.hpp"
#include "tests/integration/sql_fixture.hpp"
#include "tests/support/proxy.hpp"

namespace datasync::sql {
namespace {

class SqlCut : public SqlTest {
 protected:
  static ConnectOptions through(const test::Proxy& proxy) {
    auto o = options();
    o.server.port = proxy.port();
    return o;
  }

  /// Runs `read` again and again on new connections, each of which breaks `step` bytes later than the one before, until
  /// the whole answer arrives. `read` returns the answer as text, or the error.
  static void at_every_byte(std::size_t step, const std::function<base::Result<std::string>(Connection&)>& read) {
    test::Proxy proxy(server_->port());
    const auto plain = connect();
    const auto whole = read(*plain);
    ASSERT_TRUE(whole) << whole.error().what;
    int failed = 0;
    for (std::uint64_t n = 0;; n += step) {
      const auto connection = Connection::open(through(proxy));
      ASSERT_TRUE(connection) << connection.error().what;
      proxy.cut_after(n);
      const auto answer = read(**connection);
      if (answer)  // broken after it was read, or not at all
        ASSERT_EQ(*answer, *whole) << "broken after " << n << " bytes";
      else
        ASSERT_EQ(answer.error().reason, base::Reason::DestinationUnreachable) << n << ": " << answer.error().what;
      failed += answer ? 0 : 1;
      if (!proxy.cut_happened()) break;
    }
    EXPECT_GT(failed, 3);
  }

  static base::Result<std::string> text_of(base::Result<std::vector<Row>> rows) {
    if (!rows) return std::move(rows).error();
    std::string out = std::to_string(rows->size());
    for (const auto& row : *rows)
      for (const auto& field : row) out += " " + field.value_or("NULL");
    return out;
  }
};

// Such a connection was an empty, successful answer: a table that does not exist, a list of no binlogs.
TEST_F(SqlCut, an_interrupted_query_is_not_an_empty_result) {
  at_every_byte(1, [](Connection& c) { return text_of(c.query("SELECT seq, NULL, 'text' FROM a.seq_1_to_20")); });
}

TEST_F(SqlCut, an_interrupted_query_without_rows_is_an_error) {
  at_every_byte(1, [](Connection& c) { return text_of(c.query("SELECT 1 FROM a.seq_1_to_2 WHERE seq = 7")); });
}

TEST_F(SqlCut, an_interrupted_one_of_several_results_is_an_error) {
  const auto* const compound = "BEGIN NOT ATOMIC SELECT 1; SELECT seq FROM a.seq_1_to_5; SELECT 3; END";
  at_every_byte(1, [&](Connection& c) { return text_of(c.query(compound)); });
  at_every_byte(1, [&](Connection& c) -> base::Result<std::string> {
    DS_ASSIGN(const auto affected, c.execute(compound));
    return std::to_string(affected);
  });
}

TEST_F(SqlCut, an_interrupted_definition_is_not_a_missing_table) {
  server_->execute("CREATE TABLE a.cut_parent (id INT PRIMARY KEY)");
  server_->execute(
      "CREATE TABLE a.cut_child (id INT PRIMARY KEY, p INT, u UUID, e ENUM('a?', 'b') CHARACTER SET utf8mb4, UNIQUE "
      "(u), "
      "FOREIGN KEY (p) REFERENCES cut_parent (id) ON DELETE CASCADE)");
  at_every_byte(7, [](Connection& c) -> base::Result<std::string> {
    DS_ASSIGN(const auto info, read_table_info(c, "a", "cut_child"));
    if (!info) return std::string("no table");
    return fmt::format("{} columns, {} keys, {} foreign keys", info->schema.columns.size(), info->unique_keys.size(),
                       info->foreign_keys.size());
  });
}

TEST_F(SqlCut, interrupted_rows_are_not_the_end_of_the_table) {
  server_->execute("CREATE TABLE a.cut_rows (id INT PRIMARY KEY, t VARCHAR(20))");
  server_->execute("INSERT INTO a.cut_rows SELECT seq, 'some text' FROM a.seq_1_to_30");
  const auto schema = schema_of("a", "cut_rows");
  at_every_byte(3, [&](Connection& c) -> base::Result<std::string> {
    DS_ASSIGN(const auto reader, TableReader::open(c, schema, "a", "cut_rows", {}));
    base::Buffer rows;
    for (bool more = true; more;) {
      DS_ASSIGN(more, reader->next(rows));
    }
    return std::string(rows.text());
  });
}

TEST_F(SqlCut, rows_on_a_broken_connection_are_not_reported_as_written) {
  server_->execute("CREATE TABLE a.cut_written (id INT PRIMARY KEY)");
  const auto schema = schema_of("a", "cut_written");
  at_every_byte(1, [&](Connection& c) -> base::Result<std::string> {
    DS_TRY(c.begin());
    DS_ASSIGN(const auto statement,
              BulkStatement::prepare(c, "INSERT INTO a.cut_written VALUES (?)", {{schema.columns.data()}}));
    const std::int32_t one = 1, two = 2;
    statement->bind(std::as_bytes(std::span(&one, 1)));
    statement->bind(std::as_bytes(std::span(&two, 1)));
    DS_ASSIGN(const auto affected, statement->execute());
    DS_TRY(c.execute("ROLLBACK"));
    return std::to_string(affected);
  });
}

// A server sends nothing while it searches a large binlog for the position; that was SourceSilent, for ever.
TEST_F(SqlCut, a_server_that_searches_for_the_position_is_given_time) {
  using namespace std::chrono_literals;
  test::Proxy proxy(server_->port());
  auto connect_to = through(proxy);
  connect_to.role = Role::Source;
  int asked = 0;
  DumpOptions dump{.position = server_->gtid(), .server_id = 4801, .heartbeat = 100ms, .watchdog = 1000ms};
  dump.on_search = [&](std::uint64_t thread, std::chrono::milliseconds) -> base::Result<void> {
    EXPECT_EQ(
        connect()->query(fmt::format("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {}", thread))->size(),
        1U);
    if (++asked == 3) proxy.pass();
    return {};
  };
  const auto stream = BinlogStream::open(connect_to, dump);
  ASSERT_TRUE(stream) << stream.error().what;
  proxy.hold();
  bool heartbeat = false;
  for (int i = 0; i < 50 && !heartbeat; ++i) {
    const auto event = (*stream)->next();
    ASSERT_TRUE(event) << event.error().what;
    heartbeat = (*event)[4] == std::byte{27};
  }
  EXPECT_TRUE(heartbeat);
  EXPECT_GE(asked, 3);
  proxy.hold();
  for (bool silent = false; !silent;) {
    const auto event = (*stream)->next();
    silent = !event;
    if (silent) {
      EXPECT_EQ(event.error().reason, base::Reason::SourceSilent) << "once it has found it, silence is short";
    }
  }
  EXPECT_LE(asked, 4);
}

}  // namespace
}  // namespace datasync::sql
