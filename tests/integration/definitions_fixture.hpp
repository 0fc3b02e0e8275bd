#pragma once
// One environment for the tests of definitions that change: each has a database, a topic and a ledger of its own.

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {

class Definitions : public testing::Test {
 protected:
  using Texts = std::vector<std::string>;
  static void SetUpTestSuite() { fixture_ = new Fixture({}); }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  void SetUp() override {
    name_ = testing::UnitTest::GetInstance()->current_test_info()->name();
    run({"CREATE DATABASE {0}",
         "CREATE TABLE {0}.t (id INT PRIMARY KEY, v VARCHAR(50), secret VARCHAR(50), w INT NULL)",
         "INSERT INTO {0}.t VALUES (1, 'one', 'HUSH-1', 1), (2, 'two', 'HUSH-2', 2), (3, 'three', 'HUSH-3', 3)"});
  }
  void TearDown() override { fixture_->end_agents(); }

  /// Statements of one session, "{0}" replaced by the test's database.
  void run(const Texts& statements) {
    auto session = fixture_->source().connect();
    session.execute("USE mysql");  // sequence tables want some database
    for (const auto& statement : statements) session.query(in(statement));
  }
  [[nodiscard]] std::string in(const std::string& statement) const {
    return fmt::format(fmt::runtime(statement), name_);
  }
  config::Capture capture_config(const Texts& tables, const Texts& excluded) {
    config::Type chosen{.name = "things", .tables = {}, .exclude_columns = {}};
    for (const auto& table : tables) chosen.tables.push_back(name_ + "." + table);
    for (const auto& column : excluded) chosen.exclude_columns.push_back(name_ + "." + column);
    return fixture_->capture_config({chosen}, name_);
  }
  void start(const Texts& tables = {"t"}, const Texts& excluded = {}) {
    fixture_->start_capture(capture_config(tables, excluded));
    fixture_->start_apply(fixture_->apply_config(name_, name_));
    ASSERT_TRUE(equal(tables, excluded.empty() ? std::set<std::string>{} : std::set<std::string>{"secret"}));
  }
  /// With ApplyAll a dropped table disappears at the destination too, without a stop.
  void start_apply_of_all() {
    auto apply = fixture_->apply_config(name_, name_);
    apply.schema_changes = config::SchemaChanges::ApplyAll;
    fixture_->start_apply(apply);
  }
  /// Tables `parent` and `child`, whose rows go with those of the parent, at both sides.
  void start_family() {
    const Texts tables{"CREATE TABLE {0}.parent (id INT PRIMARY KEY, v INT)",
                       "CREATE TABLE {0}.child (id INT PRIMARY KEY, p INT, CONSTRAINT goes FOREIGN KEY (p) REFERENCES "
                       "{0}.parent (id) ON DELETE CASCADE ON UPDATE CASCADE)"};
    run(tables);
    fixture_->destination().execute(in("CREATE DATABASE {0}"));
    for (const auto& table : tables) fixture_->destination().execute(in(table));
    run({"INSERT INTO {0}.parent VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
         "INSERT INTO {0}.child VALUES (10, 1), (20, 2), (30, 3), (40, 4)"});
    auto config = capture_config({"parent", "child"}, {});
    config.allow_cascades = true;
    fixture_->start_capture(config);
    fixture_->start_apply(fixture_->apply_config(name_, name_));
    ASSERT_TRUE(equal({"parent", "child"}));
  }
  void stop_capture() {
    fixture_->capture().process().terminate();
    fixture_->forget(fixture_->capture());
  }
  /// As the user does who follows the message.
  void apply_after_skip() {
    const auto message = fixture_->apply().status()->message;
    const auto at = message.find("skip-offsets=");
    ASSERT_NE(at, std::string::npos) << message;
    auto apply = fixture_->apply_config(name_, name_);
    apply.skip_offsets = {message.substr(at + 13, message.find(' ', at) - at - 13)};
    fixture_->apply().process().terminate();
    fixture_->forget(fixture_->apply());
    fixture_->start_apply(apply);
  }
  testing::AssertionResult equal(const Texts& tables = {"t"}, const std::set<std::string>& ignored = {}) {
    return fixture_->eventually_equal(pairs(tables, ignored), seconds(40));
  }
  [[nodiscard]] std::vector<TablePair> pairs(const Texts& tables, const std::set<std::string>& ignored) const {
    std::vector<TablePair> out;
    for (const auto& table : tables) out.push_back({name_ + "." + table, "", ignored});
    return out;
  }
  void capture_stalls(const std::string& reason, const Texts& words) {
    ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", reason));
    const auto message = fixture_->capture().status()->message;
    for (const auto& word : words) EXPECT_NE(message.find(word), std::string::npos) << message;
  }

  static inline Fixture* fixture_ = nullptr;
  std::string name_;
};

}  // namespace datasync::test
