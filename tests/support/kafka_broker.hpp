#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

struct KafkaOptions {
  std::uint32_t heap_mb = 384;
  std::map<std::string, std::string> properties;  ///< added to server.properties, or replacing a line of it
  /// Where clients connect when that is not the broker's own port: the port of a Proxy in front of it. 0: its own port.
  std::uint16_t advertised_port = 0;
  bool outlives = false;  ///< goes on when this program ends
};

/// A real Apache Kafka broker (KRaft, one node) on 127.0.0.1. Topics are never made by themselves, retention and
/// compaction look once a second. Data and port outlive kill and restart. Killed by the destructor. One thread at a
/// time.
class KafkaBroker {
 public:
  /// Starts it and waits until it accepts connections. The data folder is made below `parent`.
  explicit KafkaBroker(const std::filesystem::path& parent, KafkaOptions options = {});
  /// On a port taken before, for a proxy that has to know it.
  KafkaBroker(const std::filesystem::path& parent, KafkaOptions options, PortLease lease);

  [[nodiscard]] std::uint16_t port() const noexcept { return lease_.port(); }
  /// bootstrap.servers for clients (the advertised port).
  [[nodiscard]] std::string bootstrap() const;
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] Process& process() noexcept { return process_; }

  void start();  ///< no effect on one that runs; waits until it answers
  void start_without_waiting();
  void wait_ready(milliseconds limit = milliseconds(90000));
  void stop();  ///< clean shutdown
  void kill();  ///< kill -9
  void restart() {
    stop();
    start();
  }
  void freeze() { process_.freeze(); }
  void thaw() { process_.thaw(); }

  // Each of these starts a Java program (1 to 2 s): use agents/kafka where speed counts.
  void create_topic(const std::string& topic, int partitions = 1,
                    const std::map<std::string, std::string>& settings = {});
  void delete_topic(const std::string& topic);
  /// Settings of a topic, e.g. {"retention.ms", "1"}.
  void alter_topic(const std::string& topic, const std::map<std::string, std::string>& settings);
  std::vector<std::string> topics();

  [[nodiscard]] std::string log_tail() const;

 private:
  std::string tool(const std::string& main_class, std::vector<std::string> args);

  KafkaOptions options_;
  PortLease lease_, controller_;
  std::filesystem::path folder_;
  Process process_;
};

/// The folder with the broker's jars, fetched by Maven when it is not there.
std::filesystem::path kafka_jars();

}  // namespace datasync::test
