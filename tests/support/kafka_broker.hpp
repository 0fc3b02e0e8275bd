#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/kafka_properties.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

/// A real Apache Kafka broker (KRaft, one node). Topics are never made by themselves, retention and compaction look
/// once a second. Data and port outlive kill and restart. Clients connect as the options say (plain text or TLS, SASL);
/// the tools of this class have a listener of their own on 127.0.0.1. Killed by the destructor. One thread at a time.
class KafkaBroker {
 public:
  /// Starts it and waits until it accepts connections. The data folder is made below `parent`.
  explicit KafkaBroker(const std::filesystem::path& parent, KafkaOptions options = {});
  /// On a port taken before, for a proxy that has to know it.
  KafkaBroker(const std::filesystem::path& parent, KafkaOptions options, PortLease lease);

  [[nodiscard]] std::uint16_t port() const noexcept { return lease_.port(); }
  /// bootstrap.servers for clients (the advertised host and port).
  [[nodiscard]] std::string bootstrap() const;
  /// Plain text and without a login, whatever clients need: for tools of tests on this machine.
  [[nodiscard]] std::string tools_address() const { return internal_.address(); }
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
  /// Makes a SCRAM-SHA-512 user or changes its password. Connections that stand go on.
  void set_scram_user(const std::string& name, const std::string& password);
  /// Takes one operation ("Write") on a topic away from a user, on a broker with kafka_authorizer(); `forget_rights`
  /// gives it back.
  void deny(const std::string& user, const std::string& topic, const std::string& operation);
  void forget_rights(const std::string& topic);
  /// The certificate that the broker shows from the next connection on, also after a restart. Connections that stand
  /// keep the old one.
  void replace_certificate(const Certificate& certificate);

  [[nodiscard]] std::string log_tail() const;

 private:
  std::string tool(const std::string& main_class, std::vector<std::string> args);

  KafkaOptions options_;
  PortLease lease_, internal_, controller_;
  std::filesystem::path folder_;
  int keystore_version_ = 0;
  Process process_;
};

/// The folder with the broker's jars, fetched by Maven when it is not there.
std::filesystem::path kafka_jars();

}  // namespace datasync::test
