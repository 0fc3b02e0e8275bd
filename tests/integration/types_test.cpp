// Every type, every edge: the destination has the same bits, through the snapshot and through the stream, in tables
// that apply made and in tables that were made beforehand.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/integration/types_data.hpp"

namespace datasync::test {
namespace {

using Texts = std::vector<std::string>;

std::string edge(const std::string& table) {
  return "edge." + table;
}

class Types : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture_ = new Fixture({});
    fixture_->source().execute("CREATE DATABASE edge");
    fixture_->destination().execute("CREATE DATABASE made");
    config::Type type{.name = "edges", .tables = {}};
    auto beforehand = fixture_->apply_config("beforehand");
    beforehand.ledger_database = "ledger2";
    for (const auto& [name, definition] : definitions()) {
      type.tables.push_back(edge(name));
      beforehand.rename[edge(name)] = "made." + name;
      fixture_->source().execute(fmt::format("CREATE TABLE {} {}", quote_table(edge(name)), definition));
      fixture_->destination().execute(fmt::format("CREATE TABLE {} {}", quote_table("made." + name), definition));
    }
    for (const auto& table : edge_tables()) run(table.name, table.inserts(1));
    for (const auto& table : key_tables()) run(table.name, table.before);
    fixture_->start_capture(fixture_->capture_config({type}));
    fixture_->start_apply(fixture_->apply_config("edges"));
    beforehand.create_tables = false;
    fixture_->start_apply(beforehand);
  }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }

  static std::vector<std::pair<std::string, std::string>> definitions() {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& table : edge_tables()) all.emplace_back(table.name, table.definition);
    for (const auto& table : key_tables()) all.emplace_back(table.name, table.definition);
    return all;
  }

  static void run(const std::string& table, const Texts& statements, const std::string& time_zone = "+00:00") {
    auto session = fixture_->source().connect();
    for (const auto& setting : edge_session()) session.execute(setting);
    session.execute(fmt::format("SET time_zone = '{}'", time_zone));
    for (const auto& statement : statements) session.execute(in_table(statement, quote_table(edge(table))));
  }

  static void expect_equal() {
    std::vector<TablePair> created, beforehand;
    for (const auto& [name, definition] : definitions()) {
      created.push_back({edge(name), ""});
      beforehand.push_back({edge(name), "made." + name});
    }
    EXPECT_TRUE(fixture_->becomes_equal(created)) << "tables made by apply";
    EXPECT_TRUE(fixture_->becomes_equal(beforehand)) << "tables made beforehand";
  }

  static inline Fixture* fixture_ = nullptr;
};

// The tests build on each other: each leaves its rows to the next.

TEST_F(Types, SnapshotIsEqual) {
  expect_equal();
}

TEST_F(Types, StreamedInsertsAreEqual) {
  for (const auto& table : edge_tables()) run(table.name, table.inserts(1001));
  expect_equal();
}

TEST_F(Types, StreamedUpdatesAreEqual) {
  for (const auto& table : edge_tables()) {
    run(table.name, table.updates(1));  // rows that came by snapshot
    run(table.name, table.updates(1001));
  }
  expect_equal();
}

TEST_F(Types, KeysOfEveryTypeFindTheirRows) {
  for (const auto& table : key_tables()) run(table.name, table.after);
  expect_equal();
}

TEST_F(Types, OtherSessionTimeZonesChangeNothing) {
  for (const auto* zone : {"+05:30", "-11:00", "+13:00"}) {
    for (const auto& table : edge_tables()) {
      if (table.name != "timestamps" && table.name != "times") continue;
      const int id = 2000 + zone[1] * 100 + zone[2] * 10 + (zone[0] == '-' ? 5000 : 0);
      run(table.name, table.inserts(id), zone);
      run(table.name, table.updates(id), zone);
    }
  }
  expect_equal();
}

TEST_F(Types, StreamedDeletesAreEqual) {
  for (const auto& table : edge_tables()) {
    run(table.name, table.deletes(1));
    run(table.name, table.deletes(1001));
  }
  expect_equal();
}

TEST_F(Types, CompressedBinlogEventsAreEqual) {
  fixture_->source().execute("SET GLOBAL log_bin_compress_min_len = 10");
  fixture_->source().execute("SET GLOBAL log_bin_compress = ON");
  for (const auto& table : edge_tables()) {
    run(table.name, table.inserts(20001));
    run(table.name, table.updates(20001));
    run(table.name, table.deletes(20001));
  }
  fixture_->source().execute("SET GLOBAL log_bin_compress = OFF");
  expect_equal();
}

TEST_F(Types, EmptiedTablesAreEqual) {
  for (const auto& [name, definition] : definitions()) run(name, {"DELETE FROM {}"});
  expect_equal();
}

}  // namespace
}  // namespace datasync::test
