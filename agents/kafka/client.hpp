#pragma once
// Creates and configures every Kafka client of DataSync; only this folder uses librdkafka.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/base/secret.hpp"
#include "agents/config/config.hpp"

namespace datasync::kafka {

/// The settings of a channel, with its secrets as they were read. Secrets rotate, so each new client reads them again.
struct Access {
  std::string bootstrap_servers;
  bool tls = false;
  std::string ca_file, certificate_file, key_file;
  std::string sasl_mechanism, sasl_username;
  base::Secret sasl_password;
  std::map<std::string, std::string> extra;     ///< further librdkafka settings, for tests
  std::function<base::Result<Access>()> again;  ///< reads the secrets again; empty: they do not change
};
/// Reads the secrets of a channel. Errors: SecretNotFound.
base::Result<Access> access(const config::Channel& channel, const std::filesystem::path& secrets_dir);

/// Returns the reason for an error event of librdkafka (code: rd_kafka_resp_err_t); for TLS the text decides.
/// CertificateRejected or CredentialsRejected, otherwise BrokerUnreachable.
base::Reason event_reason(int code, std::string_view text);

/// The state of a topic in the cluster.
struct TopicInfo {
  bool exists = false;
  std::int32_t partitions = 0;
  std::int16_t replication_factor = 0;
  std::int32_t brokers = 0;  ///< in the cluster
  std::map<std::string, std::string>
      config;  ///< cleanup.policy, max.message.bytes, min.insync.replicas, retention.ms, ...
};

/// Blocking administrative calls, each with its own deadline. Thread-safe.
class Admin {
 public:
  /// Creates a client. Errors: those of the client's settings and secrets.
  static base::Result<std::unique_ptr<Admin>> open(const Access& access);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  /// Returns the topic with its settings; `exists` is false when there is none.
  base::Result<TopicInfo> describe(const std::string& topic);
  /// Creates a topic. It is not an error when the topic exists with this number of partitions.
  base::Result<void> create(const std::string& topic, std::int32_t partitions, std::int16_t replication_factor,
                            const std::map<std::string, std::string>& config);
  /// Deletes a topic.
  base::Result<void> remove(const std::string& topic);
  /// Returns true when no partition ever had a record.
  base::Result<bool> empty(const std::string& topic, std::int32_t partitions);

 private:
  struct Impl;
  explicit Admin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kafka
