#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/workload.hpp"

namespace datasync::test {

/// Names by which pods reach a server that runs beside the clusters, and where it really is.
struct ServerName {
  std::string ns, service;        ///< "shop", "shop-db-2": the host is shop-db-2.shop
  std::uint16_t port = 0;         ///< of the service
  std::uint16_t target_port = 0;  ///< where it listens
  [[nodiscard]] std::string host() const { return service + "." + ns; }
};

/// One user's name and password.
struct Account {
  std::string user, password;
};

/// What runs beside the clusters: a shop's primary with two replicas, a database for disaster recovery, one of the back
/// office, and Kafka. Databases take users over TLS only; Kafka speaks SASL_SSL with SCRAM-SHA-512. Each system
/// has an authority of its own. One thread at a time.
class Servers {
 public:
  /// Starts all of them on `address` and loads the first rows. No traffic yet.
  Servers(const std::filesystem::path& folder, std::string address);

  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  [[nodiscard]] MariaDbServer& primary() { return *primary_; }
  [[nodiscard]] std::vector<std::unique_ptr<MariaDbServer>>& replicas() { return replicas_; }
  [[nodiscard]] MariaDbServer& recovery() { return *recovery_; }
  [[nodiscard]] MariaDbServer& office() { return *office_; }
  [[nodiscard]] KafkaBroker& kafka() { return *kafka_; }
  [[nodiscard]] Workload& traffic() { return *traffic_; }

  [[nodiscard]] const CertificateAuthority& shop_authority() const { return shop_authority_; }
  [[nodiscard]] const CertificateAuthority& recovery_authority() const { return recovery_authority_; }
  [[nodiscard]] const CertificateAuthority& office_authority() const { return office_authority_; }
  [[nodiscard]] const CertificateAuthority& kafka_authority() const { return kafka_authority_; }

  [[nodiscard]] static Account reader() { return {"reader", "reader-secret"}; }
  [[nodiscard]] static Account writer() { return {"writer", "writer-secret"}; }
  [[nodiscard]] Account kafka_user() const { return {"datasync", kafka_password_}; }
  /// At the broker, for connections from now on.
  void rotate_kafka_password(const std::string& password);

  /// All servers that pods reach, the primary not among them.
  [[nodiscard]] std::vector<ServerName> names() const;
  [[nodiscard]] static std::vector<std::string> bank_tables();
  [[nodiscard]] static std::vector<std::string> shop_tables();

  /// The last audit line and the last order at the source.
  struct Mark {
    std::int64_t audit = 0, order = 0;
  };
  [[nodiscard]] Mark source_mark();
  /// The least that all destinations have; zeros while a table is not there.
  [[nodiscard]] Mark reached();
  /// At the recovery database alone.
  [[nodiscard]] Mark reached_at_recovery();
  /// Every destination has everything up to now; false when not within the limit.
  [[nodiscard]] bool catch_up(milliseconds limit);
  /// Row by row: both types at the recovery database, the shop's at the office. The traffic must stand.
  [[nodiscard]] CompareResult compare_all();
  [[nodiscard]] std::int64_t repeated_audit_rows();

 private:
  std::unique_ptr<MariaDbServer> start(const std::string& name, bool read_only, const CertificateAuthority& authority,
                                       const std::string& host);
  void start_kafka();
  void make_users();

  std::filesystem::path folder_;
  std::string address_, kafka_password_ = "kafka-secret";
  CertificateAuthority shop_authority_, recovery_authority_, office_authority_, kafka_authority_;
  std::unique_ptr<MariaDbServer> primary_, recovery_, office_;
  std::vector<std::unique_ptr<MariaDbServer>> replicas_;
  std::unique_ptr<KafkaBroker> kafka_;
  std::unique_ptr<Workload> traffic_;
};

}  // namespace datasync::test
