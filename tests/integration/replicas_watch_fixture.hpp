#pragma once
// Two replicas of one source, a destination, and agents that read and write them.

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {

class ReplicasWatch : public testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = std::make_unique<Fixture>(FixtureOptions{.replicas = 2}); }
  static void TearDownTestSuite() { fixture_.reset(); }
  void TearDown() override { fixture_->end_agents(); }

  static MariaDbServer& source() { return fixture_->source(); }
  static MariaDbServer& replica(std::size_t i) { return *fixture_->replicas().at(i); }
  static std::string address(std::size_t i) { return fmt::format("127.0.0.1:{}", replica(i).port()); }
  static void catch_up(std::size_t i) { replica(i).wait_for_gtid(source().gtid()); }
  /// The next value of the table's rows.
  static void insert(const std::string& db, int rows = 1) {
    source().execute(fmt::format("INSERT INTO {}.t (v) SELECT seq FROM {}.seq_1_to_{}", db, db, rows));
  }
  /// A table with rows, and the capture of it by these replicas.
  static config::Capture capture_of(const std::string& db, const std::vector<std::size_t>& replicas = {0, 1}) {
    source().execute_all(
        {"CREATE DATABASE " + db, "CREATE TABLE " + db + ".t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"});
    insert(db, 20);
    auto config = fixture_->capture_config({config::Type{"things", {db + ".t"}, {}, {}}}, db);
    config.replicas.clear();
    for (const auto i : replicas) {
      catch_up(i);
      config.replicas.push_back({"127.0.0.1", replica(i).port()});
    }
    return config;
  }
  static std::vector<TablePair> table(const std::string& db) { return {{.source = db + ".t"}}; }
  /// Starts both agents and waits for the copy; returns the replica in use.
  static std::size_t start(const std::string& db, const config::Capture& config) {
    fixture_->start_capture(config);
    fixture_->start_apply(fixture_->apply_config(db, db));
    EXPECT_TRUE(fixture_->becomes_equal(table(db)));
    EXPECT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", ""));
    return in_use();
  }
  static std::size_t in_use() {
    const auto status = fixture_->capture().status();
    return status && status->at("/replica") == address(1) ? 1 : 0;
  }
  static testing::AssertionResult reads(std::size_t i) {
    const auto there = eventually([&] { return in_use() == i; }, seconds(20));
    return there ? testing::AssertionSuccess() : testing::AssertionFailure() << fixture_->diagnostics();
  }
  static std::string message() {
    const auto status = fixture_->capture().status();
    return status ? status->message : "";
  }
  /// The value as the page shows it.
  static std::string metric(const std::string& name) {
    std::istringstream page(fixture_->capture().get("/metrics").value_or(""));
    for (std::string line; std::getline(page, line);)
      if (line.starts_with(name + " ")) return line.substr(name.size() + 1);
    return "";
  }

  static inline std::unique_ptr<Fixture> fixture_;
};

}  // namespace datasync::test
