#pragma once
// One environment for the tests of recovery: each has a database, a topic and a ledger of its own.

#include <filesystem>
#include <memory>
#include <regex>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {

class Recovery : public testing::Test {
 public:  // for the tables of cases
  static void SetUpTestSuite() { fixture_ = std::make_unique<Fixture>(FixtureOptions{}); }
  static void TearDownTestSuite() { fixture_.reset(); }
  void TearDown() override { fixture_->end_agents(); }

  /// A database, a topic and a ledger of this name: tables t and u with three rows each.
  void prepare(const std::string& name) {
    name_ = name;
    fixture_->source().execute("CREATE DATABASE " + name);
    for (const auto* table : {"t", "u"}) {
      sql(fmt::format("CREATE TABLE {{}}.{} (id INT PRIMARY KEY, v VARCHAR(50))", table));
      sql(fmt::format("INSERT INTO {{}}.{} VALUES (1, 'a'), (2, 'b'), (3, 'c')", table));
    }
    capture_ = fixture_->capture_config({{.name = "things", .tables = {name + ".t", name + ".u"}}}, name);
    apply_ = fixture_->apply_config(name, name);
    apply_.ledger_database = name + "_ledger";
  }
  void start_both() {
    fixture_->start_capture(capture_);
    fixture_->start_apply(apply_);
    ASSERT_TRUE(equal());
  }
  /// As a changed annotation does: the agents end and begin with another configuration.
  void restart_capture() {
    fixture_->capture().process().terminate();
    fixture_->forget(fixture_->capture());
    fixture_->start_capture(capture_);
  }
  void restart_apply() {
    fixture_->apply().process().terminate();
    fixture_->forget(fixture_->apply());
    fixture_->start_apply(apply_);
  }
  [[nodiscard]] std::string in(const std::string& statement) const {
    return fmt::format(fmt::runtime(statement), name_);
  }
  void sql(const std::string& statement) { fixture_->source().execute(in(statement)); }
  void destination_sql(const std::string& statement) { fixture_->destination().execute(in(statement)); }
  testing::AssertionResult equal() {
    return fixture_->eventually_equal({{name_ + ".t", ""}, {name_ + ".u", ""}}, seconds(60));
  }
  static std::string message(Agent& agent) { return agent.status().value_or(AgentStatus{}).message; }
  /// The value of an annotation as the message of capture names it.
  static std::string advised(const std::string& annotation) { return advised(annotation, fixture_->capture()); }
  static std::string advised(const std::string& annotation, Agent& agent) {
    std::smatch found;
    const auto text = message(agent);
    return std::regex_search(text, found, std::regex("datasync\\.dev/" + annotation + "=(\\S+)")) ? found[1].str() : "";
  }
  /// The offset that the next record of the topic gets.
  [[nodiscard]] std::int64_t end_of_topic() const { return offset_of_topic("-1"); }
  [[nodiscard]] std::int64_t begin_of_topic() const { return offset_of_topic("-2"); }
  [[nodiscard]] std::int64_t offset_of_topic(const char* time) const {
    const auto output =
        run({"kcat", "-Q", "-b", fixture_->broker().bootstrap(), "-t", fmt::format("{}:0:{}", name_, time)});
    return std::stoll(output.substr(output.rfind(' ') + 1));
  }
  /// Changes a byte of a row within a binlog file of the source.
  static void damage(const std::string& file, const std::string& row) {
    const auto path = fixture_->source().folder() / "data" / file;
    auto bytes = read_file(path);
    const auto at = bytes.rfind(row);  // before it stands the statement's text, which no dump sends
    ASSERT_NE(at, std::string::npos);
    bytes[at] = 'D';
    write_file(path, bytes);
  }
  /// How often rows of a snapshot were put on the stream since this capture began.
  static double copied_rows() { return fixture_->capture().metric("datasync_capture_snapshot_rows_total"); }

  static inline std::unique_ptr<Fixture> fixture_;
  std::string name_;
  config::Capture capture_;
  config::Apply apply_;
};

}  // namespace datasync::test
