#pragma once
// The servers and agents of the demo, made from a resource file as `datasync run` and the operator make them.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/demo/console.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/workload.hpp"

namespace datasync::demo {

struct Environment {
  /// Starts all servers, loads the first rows and writes the resource file; starts no agent yet. `keep`: everything
  /// continues when the demo ends, once `leave` was called.
  Environment(const Console& console, bool keep);

  /// An agent of the capture or apply half of the resource of this name; not started.
  [[nodiscard]] test::Agent make_capture(const std::string& agent_name) const;
  [[nodiscard]] test::Agent make_apply(const std::string& agent_name, const std::string& resource_name) const;
  /// The replica that a capture agent reads from now; nullptr when there is none.
  [[nodiscard]] test::MariaDbServer* replica_in_use();
  [[nodiscard]] test::CompareResult compare_all();
  /// Lets go of everything and prints how to connect and how to end it.
  void leave();

  test::TempDir dir;  ///< first: removed last, when nothing runs in it any more
  bool keep;
  test::WorkloadOptions traffic;
  std::unique_ptr<test::MariaDbServer> primary, bank, shop;
  std::vector<std::unique_ptr<test::MariaDbServer>> replicas;
  std::unique_ptr<test::KafkaBroker> kafka;
  std::unique_ptr<test::Workload> workload;
  std::vector<std::unique_ptr<test::Agent>> agents;  ///< all that were made, for `leave`

 private:
  void start_servers(const Console& console);
  void make_users();
  void write_resources();
  [[nodiscard]] std::filesystem::path resource_file() const { return dir.path() / "demo.yaml"; }
  [[nodiscard]] std::filesystem::path secrets() const { return dir.path() / "secrets"; }
};

}  // namespace datasync::demo
