#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {

using Texts = std::vector<std::string>;

/// One source, one destination and one broker for all tests of the program; each test has a database, a topic and a
/// task of its own.
class Destination : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = new Fixture({}); }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  void TearDown() override { fixture_->end_agents(); }

  /// A database of this name on both sides, and a topic.
  void prepare(const std::string& name, const Texts& source, const Texts& destination = {}) {
    name_ = name;
    at_source({"CREATE DATABASE " + name, "USE " + name});
    at_destination({"CREATE DATABASE " + name});
    at_source(source);
    at_destination(destination);
  }
  void at_source(const Texts& statements) { run(fixture_->source(), statements); }
  void at_destination(const Texts& statements) { run(fixture_->destination(), statements); }

  config::Capture capture_of(const Texts& tables) {
    config::Type type{.name = "things", .tables = {}, .exclude_columns = {}};
    for (const auto& table : tables) type.tables.push_back(name_ + "." + table);
    return fixture_->capture_config({type}, name_);
  }
  config::Apply apply_here() { return fixture_->apply_config(name_, name_); }
  void start(const Texts& tables) {
    fixture_->start_capture(capture_of(tables));
    fixture_->start_apply(apply_here());
  }
  void start(const Texts& tables, const config::Apply& apply) {
    fixture_->start_capture(capture_of(tables));
    fixture_->start_apply(apply);
  }
  void restart_apply(const config::Apply& apply) {
    fixture_->apply().process().terminate();
    fixture_->forget(fixture_->apply());
    fixture_->start_apply(apply);
  }
  [[nodiscard]] std::vector<TablePair> pairs(const Texts& tables) const {
    std::vector<TablePair> out;
    for (const auto& table : tables) out.push_back({name_ + "." + table, "", {}});
    return out;
  }
  testing::AssertionResult equal(const Texts& tables) { return fixture_->becomes_equal(pairs(tables)); }
  /// Although an agent is Stalled for a while.
  testing::AssertionResult recovers(const Texts& tables) {
    return fixture_->eventually_equal(pairs(tables), seconds(90));
  }
  std::string refusal(const std::string& reason) {
    const auto reported = fixture_->eventually_reason(fixture_->apply(), reason, seconds(60));
    EXPECT_TRUE(reported);
    const auto status = fixture_->apply().status();
    return status && status->reason == reason ? status->message : "";
  }

  std::string held() { return fixture_->held(name_); }
  testing::AssertionResult becomes_held(const std::string& wanted) {
    return fixture_->becomes_held(name_, wanted, seconds(40));
  }
  /// Why the table is held.
  std::string held_message(const std::string& table) {
    const auto status = fixture_->apply().status().value_or(AgentStatus{});
    for (int i = 0; status.at(fmt::format("/held/{}/table", i)); ++i)
      if (status.at(fmt::format("/held/{}/table", i)) == name_ + "." + table)
        return status.at(fmt::format("/held/{}/message", i)).value_or("");
    return "";
  }

  [[nodiscard]] std::string known_tables() { return apply_here().ledger_database + ".tables"; }
  /// The ledger says that values of the table at the destination may have been changed.
  testing::AssertionResult change_is_noted(const std::string& table) {
    return fixture_->eventually_value(
        fixture_->destination(),
        fmt::format("SELECT created LIKE 'changed%' FROM {} WHERE target='{}.{}'", known_tables(), name_, table), "1");
  }
  /// The annotation of the message.
  void copy_as_recommended(const std::string& message, config::Apply apply) {
    apply.copy_tables = recommended_annotation(message, "copy-tables");
    EXPECT_NE(apply.copy_tables, "") << message;
    restart_apply(apply);
  }
  /// The statements of the message, then the annotation where it names one.
  void do_as_recommended(const std::string& message, const config::Apply& apply) {
    at_destination(recommended_statements(message));
    if (!recommended_annotation(message, "copy-tables").empty()) copy_as_recommended(message, apply);
  }

  static inline Fixture* fixture_ = nullptr;
  std::string name_;

 private:
  void run(MariaDbServer& server, const Texts& statements) {
    if (statements.empty()) return;
    auto session = server.connect();
    session.execute("USE `" + (statements.front().starts_with("CREATE DATABASE") ? "mysql" : name_) + "`");
    for (const auto& statement : statements) session.query(statement);
  }
};

}  // namespace datasync::test
