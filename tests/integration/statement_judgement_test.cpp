// Runs random statements on a real server and compares what happened to each table with what judge() said of the
// statement in the binlog: it must have said something at least as strong.
//
// DATASYNC_SEED sets the seed, DATASYNC_STATEMENTS the number of statements (2000).

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/source/mariadb/binlog_stream.hpp"
#include "agents/source/mariadb/event_reader.hpp"
#include "tests/integration/judged_tables.hpp"
#include "tests/support/ddl_grammar.hpp"
#include "tests/support/ddl_tables.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using base::Result;

/// Keeps what the binlog says between two calls of take().
class Judge final : public binlog::Handler {
 public:
  explicit Judge(Session session) : session_(std::move(session)) {}

  Result<void> on_gtid(const binlog::GtidEvent& gtid, const binlog::EventHeader&, const binlog::Where&) override {
    gtid_ = gtid.gtid.text();
    return {};
  }
  bool wants(std::string_view, std::string_view) override { return true; }
  Result<binlog::TableToken> on_table(const binlog::TableMap& map, const binlog::Where&) override {
    names_.push_back(fmt::format("{}.{}", map.database, map.table));
    return static_cast<binlog::TableToken>(names_.size() - 1);
  }
  Result<void> on_rows(binlog::TableToken table, const binlog::RowsEvent&) override {
    judged_.with_row_events.insert(names_.at(table));
    return {};
  }
  Result<void> on_query(const binlog::QueryInfo& query) override {
    judged_.text +=
        fmt::format("    logged{}: {}\n", query.context.temporary ? " as using temporary tables" : "", query.event.sql);
    for (const auto& effect : query.judgement.effects) judged_.effects.push_back(effect);
    judged_.renames = judged_.renames || query.judgement.renames;
    if (query.judgement.certain) return {};
    judged_.certain = false;
    for (const auto i : binlog::may_concern(query.event.sql, query.context, candidates))
      judged_.concerned.insert(candidates[i].database + "." + candidates[i].table);
    return {};
  }
  std::optional<std::string> to_utf8(std::string_view charset, std::string_view text) override {
    std::string hex;
    for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return session_.value(fmt::format("SELECT CONVERT(_{} X'{}' USING utf8mb4)", charset, hex));
  }
  Result<void> on_commit(const binlog::EventHeader&) override { return ended(); }
  Result<void> on_rollback() override { return ended(); }
  Result<void> on_xa_prepare(const binlog::Xid&) override { return ended(); }
  Result<void> on_xa_commit(const binlog::Xid&) override { return ended(); }
  Result<void> on_xa_rollback(const binlog::Xid&) override { return ended(); }
  Result<void> on_gtid_list(const message::GtidSet&) override { return {}; }
  Result<void> on_heartbeat(std::string_view, std::uint64_t) override { return {}; }
  Result<void> on_rotate(std::string_view, std::uint64_t, bool) override { return {}; }
  Result<void> on_incident(std::string_view, const binlog::Where&) override { return {}; }

  /// Forgets what it has of the connection before.
  void reopen(Session session) {
    session_ = std::move(session);
    names_.clear();
    judged_ = {};
  }

  [[nodiscard]] const std::string& last() const { return last_; }
  Judged take() { return std::exchange(judged_, {}); }

  std::vector<binlog::NamedTable> candidates;  ///< tables that a statement could concern

 private:
  Result<void> ended() {
    last_ = gtid_;
    return {};
  }

  Session session_;
  std::string gtid_, last_;
  std::vector<std::string> names_;
  Judged judged_;
};

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

class StatementJudgement : public ::testing::Test {
 protected:
  StatementJudgement()
      : server_(folder_.path(),
                {.name = "judged",
                 .extra_args = {"--innodb-flush-log-at-trx-commit=0", "--sql-mode=", "--lock-wait-timeout=5",
                                "--log-warnings=0", "--innodb-file-per-table=ON", "--skip-innodb-doublewrite"}}),
        admin_(server_.connect()),
        worker_(server_.connect()),
        judge_(server_.connect()) {
    set_admin();
  }

  void set_admin() { admin_.execute("SET SESSION sql_log_bin = 0, sql_mode = '', foreign_key_checks = 0"); }

  /// A statement may end the server, which is a defect of the server: what it did is not judged. True when it has, and
  /// runs again.
  bool restarted_after_crash() {
    if (!server_.process().wait(std::chrono::seconds(5))) return false;
    server_.start();
    admin_ = server_.connect();
    set_admin();
    worker_ = server_.connect();
    judge_.reopen(server_.connect());
    open_stream();
    return true;
  }

  void open_stream() {
    sql::ConnectOptions options;
    options.role = sql::Role::Source;
    options.server = {"127.0.0.1", server_.port()};
    options.user = "repl";
    options.password = base::Secret("repl");
    auto stream = sql::BinlogStream::open(
        options, {server_.gtid(), 4711, std::chrono::milliseconds(500), std::chrono::milliseconds(60000)});
    ASSERT_TRUE(stream) << stream.error().what;
    stream_ = std::move(*stream);
    reader_ = std::make_unique<binlog::EventReader>(judge_);
    start_ = server_.gtid();
  }

  /// Drops tables that are too many and gives empty ones rows. True when something may have changed.
  bool prepare(TableStates tables, std::mt19937_64& random) {
    constexpr std::size_t kMostTables = 9;
    bool changed = false;
    for (; tables.size() > kMostTables; changed = true) {
      const auto at = std::next(tables.begin(), static_cast<std::ptrdiff_t>(random() % tables.size()));
      try_admin("DROP TABLE " + full(at->second));
      tables.erase(at);
    }
    for (const auto& [name, state] : tables) {
      if (!state.rows.empty() || state.table.columns.empty()) continue;
      const auto into =
          fmt::format("INSERT IGNORE INTO {} ({}) VALUES ", full(state), quote_name(state.table.columns.front()));
      try_admin(into + "(1), (4), (8)");
      changed = true;
    }
    return changed;
  }
  void make_databases(const DdlOptions& options) {
    for (const auto& database : options.databases)
      admin_.execute("CREATE DATABASE IF NOT EXISTS " + quote_name(database));
  }
  static std::string full(const DdlTableState& state) {
    return quote_name(state.table.database) + "." + quote_name(state.table.name);
  }
  void try_admin(const std::string& sql) {
    try {
      admin_.execute(sql);
    } catch (const SqlError&) {  // a table of another engine, without columns, ...
    }
  }

  /// Ends the temporary tables of the one before it. The format stays: a session that has some cannot change it.
  void new_worker(std::mt19937_64& random) {
    worker_ = server_.connect();
    const auto choice = random() % 6;
    worker_.execute(fmt::format("SET SESSION binlog_format = {}", choice == 0   ? "STATEMENT"
                                                                  : choice == 1 ? "MIXED"
                                                                                : "ROW"));
  }

  static bool is_lost(const SqlError& error) {
    constexpr unsigned kServerGone = 2006, kServerLost = 2013;
    return error.number == kServerGone || error.number == kServerLost;
  }

  /// True when the server took it. Throws when the connection is lost.
  bool run(const DdlStatement& statement) {
    worker_.execute("SET NAMES utf8mb4");
    worker_.execute("USE " + quote_name(statement.database));
    worker_.execute(fmt::format("SET SESSION sql_mode = '{}', foreign_key_checks = 0", statement.sql_mode));
    worker_.execute("SET NAMES " + statement.charset);
    try {
      worker_.execute(statement.sql);
      return true;
    } catch (const SqlError& error) {
      if (is_lost(error)) throw;
      return false;
    }
  }

  Judged judged() {
    const auto gtid = admin_.value("SELECT @@gtid_binlog_pos");
    logged_ = gtid != start_ && judge_.last() != gtid;
    while (gtid != start_ && judge_.last() != gtid) {
      const auto event = stream_->next();
      if (!event) throw std::runtime_error(event.error().what);
      const auto fed = reader_->feed(*event);
      if (!fed) throw std::runtime_error(fed.error().what);
    }
    return judge_.take();
  }

  TempDir folder_;
  MariaDbServer server_;
  Session admin_, worker_;
  Judge judge_;
  std::unique_ptr<binlog::EventReader> reader_;
  std::unique_ptr<sql::BinlogStream> stream_;
  std::string start_;
  bool logged_ = false;  ///< the last statement wrote something to the binlog
};

TEST_F(StatementJudgement, ReportsAtLeastWhatHappenedToEveryTable) {
  const auto seed = number_of("DATASYNC_SEED", std::random_device()());
  const auto statements = number_of("DATASYNC_STATEMENTS", 2000);
  std::cout << "DATASYNC_SEED=" << seed << " DATASYNC_STATEMENTS=" << statements << std::endl;
  DdlGrammar grammar(seed);
  std::mt19937_64 random(seed + 1);
  open_stream();
  std::size_t taken = 0;
  std::size_t with_effect = 0;
  std::size_t uncertain = 0;
  std::size_t unlogged = 0;
  std::size_t crashes = 0;
  make_databases(grammar.options());
  TableStates before;
  for (std::uint64_t i = 0; i < statements; ++i) {
    std::vector<DdlTable> tables;
    for (const auto& [name, state] : before) tables.push_back(state.table);
    const auto statement = grammar.next(tables);
    judge_.candidates.clear();
    for (const auto& database : grammar.options().databases)
      for (const auto& table : grammar.options().tables) judge_.candidates.push_back({database, table});
    try {
      const bool ok = run(statement);
      const auto judged = this->judged();
      auto after = read_tables(admin_, grammar.options().databases);
      // CREATE OR REPLACE DATABASE that fails after it has dropped some of the tables writes nothing to the binlog: a
      // server that replicates keeps them, and nobody can judge what is not there.
      const bool nothing_logged = !ok && !logged_;
      auto faults = disagreements(before, after, judged);
      if (nothing_logged && !std::exchange(faults, {}).empty()) ++unlogged;
      EXPECT_TRUE(faults.empty()) << fmt::format("statement {} ({}, {}, in {}, {}): {}\n{}    {}", i, statement.charset,
                                                 statement.sql_mode, statement.database, ok ? "taken" : "refused",
                                                 statement.text, judged.text, faults);
      if (::testing::Test::HasFailure() && std::getenv("DATASYNC_ALL") == nullptr) break;
      taken += ok ? 1U : 0U;
      with_effect += judged.effects.empty() ? 0U : 1U;
      uncertain += judged.certain ? 0U : 1U;
      if (i % 20 == 0) new_worker(random);
      make_databases(grammar.options());
      const bool changed = prepare(after, random);
      before = changed ? read_tables(admin_, grammar.options().databases) : std::move(after);
    } catch (const std::runtime_error& error) {
      if (!restarted_after_crash()) throw;
      ++crashes;
      std::cout << fmt::format("statement {} ended the server ({}; {}, {}, in {}): {}", i, error.what(),
                               statement.charset, statement.sql_mode, statement.database, statement.text)
                << std::endl;
      make_databases(grammar.options());
      before = read_tables(admin_, grammar.options().databases);
    }
  }
  std::cout << fmt::format(
                   "{} statements taken by the server, {} with effects, {} not certain; {} refused ones changed "
                   "tables and are not in the binlog; {} ended the server",
                   taken, with_effect, uncertain, unlogged, crashes)
            << std::endl;
  // The generator is worth its time when the server takes a good part of it; what is not certain makes a copy.
  EXPECT_GT(taken * 5, statements);
  EXPECT_LT(uncertain * 10, statements);
  EXPECT_LE(crashes * 1000, statements) << "too few were judged";
}

}  // namespace
}  // namespace datasync::test
