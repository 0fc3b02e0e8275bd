#pragma once
// The environment of an end-to-end test: a source, a destination, a broker, the agents, and what compares both.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agents/config/config.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/proxy.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {

using std::chrono::seconds;

struct FixtureOptions {
  int replicas = 0;  ///< 0: capture reads the source itself (allowPrimary)
  int partitions = 1;
  bool proxies = false;  ///< between the agents and every server they talk to
  KafkaOptions kafka = {};
  std::vector<std::string> source_args = {};  ///< also of its replicas
  std::optional<MariaDbTls> source_tls = {};  ///< of the source itself; its reader must use TLS then
  std::optional<MariaDbTls> destination_tls = {};
};

/// One source (with replicas), one destination and one broker; capture and apply run as processes. Everything is gone
/// with the object. Throws when the environment cannot be set up. One thread at a time.
class Fixture {
 public:
  static constexpr const char* kReader = "reader";
  static constexpr const char* kWriter = "writer";
  static constexpr const char* kPassword = "pass'word";

  explicit Fixture(const FixtureOptions& options);
  ~Fixture();
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return dir_.path(); }
  [[nodiscard]] std::filesystem::path secrets() const { return folder() / "secrets"; }
  MariaDbServer& source() { return *source_; }
  std::vector<std::unique_ptr<MariaDbServer>>& replicas() { return replicas_; }
  MariaDbServer& destination() { return *destination_; }
  KafkaBroker& broker() { return *broker_; }
  std::vector<std::unique_ptr<Proxy>>& replica_proxies() { return replica_proxies_; }
  Proxy& destination_proxy() { return *destination_proxy_; }
  Proxy& broker_proxy() { return *broker_proxy_; }

  // Configurations with short watchdogs that fit this environment; change what the test is about. Each has a topic
  // `topic`.
  config::Capture capture_config(std::vector<config::Type> types, const std::string& topic = "shop");
  config::Apply apply_config(const std::string& name, const std::string& topic = "shop");

  /// Starts an agent that belongs to the fixture: its statuses and logs are reported when something does not become
  /// equal.
  Agent& start_capture(const config::Capture& capture);
  Agent& start_apply(const config::Apply& apply);
  /// The one started last.
  Agent& capture() { return *captures_.back(); }
  Agent& apply() { return *applies_.back(); }
  /// Ends an agent that has been replaced.
  void forget(const Agent& agent);
  /// Kills all agents.
  void end_agents();

  /// Waits until the tables are equal. Gives up after `limit`, and sooner when an agent is Stalled.
  testing::AssertionResult becomes_equal(const std::vector<TablePair>& tables, milliseconds limit = seconds(60));
  testing::AssertionResult becomes_equal(const std::vector<TablePair>& tables, MariaDbServer& destination,
                                         milliseconds limit = seconds(60));
  /// The same for agents that are Stalled at first and must go on by themselves.
  testing::AssertionResult eventually_equal(const std::vector<TablePair>& tables, milliseconds limit);
  testing::AssertionResult eventually_value(MariaDbServer& server, const std::string& sql, const std::string& value,
                                            milliseconds limit = seconds(30));
  /// Waits until the agent's status has this state and reason ("" for any).
  testing::AssertionResult becomes(Agent& agent, const std::string& state, const std::string& reason,
                                   milliseconds limit = seconds(30));

  /// Waits until the agent reports this reason, in whatever state.
  testing::AssertionResult eventually_reason(Agent& agent, const std::string& reason, milliseconds limit = seconds(30));

  /// The tables of a database that apply holds, as /status has them: "a:RowConflict b:..."; "?" while the agent does
  /// not answer.
  [[nodiscard]] std::string held(const std::string& database);
  testing::AssertionResult becomes_held(const std::string& database, const std::string& wanted, milliseconds limit);

  /// All bytes in the broker's files of topics whose folder starts with this.
  std::string topic_bytes(const std::string& folder_prefix = "shop");
  /// Statuses and the last log lines of all agents.
  std::string diagnostics();

 private:
  [[nodiscard]] bool any_stalled();
  testing::AssertionResult wait_equal(const std::vector<TablePair>& tables, MariaDbServer& destination,
                                      milliseconds limit, bool stall_ends);

  TempDir dir_;
  FixtureOptions options_;
  std::unique_ptr<MariaDbServer> source_, destination_;
  std::vector<std::unique_ptr<MariaDbServer>> replicas_;
  std::unique_ptr<Proxy> broker_proxy_, destination_proxy_;
  std::vector<std::unique_ptr<Proxy>> replica_proxies_;
  std::unique_ptr<KafkaBroker> broker_;
  int started_ = 0;  ///< agents, for their names
  std::vector<std::unique_ptr<Agent>> captures_, applies_;
};

/// "{}" replaced by `table` where it first stands, near the statement's begin.
std::string in_table(std::string statement, const std::string& table);

}  // namespace datasync::test
