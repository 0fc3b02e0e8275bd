#pragma once
// How every Kafka client of ours is set up; librdkafka stays inside this folder.

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

/// A channel with its secrets as they were read. They rotate: each new client reads them again.
struct Access {
  std::string bootstrap_servers;
  bool tls = false;
  std::string ca_file, certificate_file, key_file;
  std::string sasl_mechanism, sasl_username;
  base::Secret sasl_password;
  std::map<std::string, std::string> extra;     ///< further librdkafka settings, for tests
  std::function<base::Result<Access>()> again;  ///< reads the secrets anew; empty: they are what they are
};
/// Errors: SecretNotFound.
base::Result<Access> access(const config::Channel& channel, const std::filesystem::path& secrets_dir);

/// The reason of an error event of librdkafka (code: rd_kafka_resp_err_t), for TLS by its words: CertificateRejected,
/// CredentialsRejected, else BrokerUnreachable.
base::Reason event_reason(int code, std::string_view text);

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
  static base::Result<std::unique_ptr<Admin>> open(const Access& access);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;
  base::Result<TopicInfo> describe(const std::string& topic);
  /// Exists already is success when the partition count fits.
  base::Result<void> create(const std::string& topic, std::int32_t partitions, std::int16_t replication_factor,
                            const std::map<std::string, std::string>& config);
  base::Result<void> remove(const std::string& topic);
  /// True when no partition ever had a record.
  base::Result<bool> empty(const std::string& topic, std::int32_t partitions);

 private:
  struct Impl;
  explicit Admin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kafka
