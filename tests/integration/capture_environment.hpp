#pragma once
// A source with two replicas and a broker for tests of the capture agent.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agents/config/config.hpp"
#include "tests/integration/capture_reader.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {

/// Shared by the tests of a program; each takes a database and a topic of its own name.
class CaptureEnvironment {
 public:
  CaptureEnvironment();

  [[nodiscard]] const std::filesystem::path& folder() const { return dir_.path(); }
  MariaDbServer& source() { return *source_; }
  MariaDbServer& replica(std::size_t i) { return *replicas_.at(i); }
  KafkaBroker& broker() { return *broker_; }

  /// Reads the source itself.
  [[nodiscard]] config::Capture config(const std::string& topic, std::vector<config::Type> types);
  /// Reads the replicas.
  [[nodiscard]] config::Capture replica_config(const std::string& topic, std::vector<config::Type> types);

  /// Rows of a table on a server as messages carry them.
  [[nodiscard]] CaptureReader::Rows rows_of(MariaDbServer& server, const std::string& database,
                                            const std::string& table, const std::vector<std::string>& excluded = {});
  /// Waits until the agent has published everything in the source's binlog.
  void drain(Agent& agent, MariaDbServer& server);

 private:
  TempDir dir_;
  std::unique_ptr<MariaDbServer> source_;
  std::vector<std::unique_ptr<MariaDbServer>> replicas_;
  std::unique_ptr<KafkaBroker> broker_;
};

/// The agent says so within the limit.
testing::AssertionResult becomes(Agent& agent, const std::string& state, const std::string& reason,
                                 std::chrono::milliseconds limit);
/// Equal tables, and no promise broken.
testing::AssertionResult topic_has(CaptureReader& reader, const std::string& table,
                                   const CaptureReader::Rows& expected);

}  // namespace datasync::test
