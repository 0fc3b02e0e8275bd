#pragma once
// The DataSync resource (group datasync.dev, version v1alpha1) as plain structs. fields.cpp says how it is written,
// with ranges and patterns; rules.cpp says what must hold between fields.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/config/config.hpp"
#include "agents/config/value.hpp"

namespace datasync::api {

inline constexpr std::string_view kApiVersion = "datasync.dev/v1alpha1";
inline constexpr std::string_view kKind = "DataSync";
/// "0:123,1:45": offsets of the topic, by partition, that a person has declared void.
inline constexpr std::string_view kSkipOffsets = "datasync.dev/skip-offsets";
/// The position that the capture agent reports as lost (`lostPosition`): a person accepts that what lies after it and
/// is no longer in any binlog comes as a new copy. It has no effect on any other position.
inline constexpr std::string_view kAcceptPositionLost = "datasync.dev/accept-position-lost";
/// "shop.orders,shop.items#token": tables that are copied again, each value once. What follows the last '#' makes the
/// value another one.
inline constexpr std::string_view kCopyTables = "datasync.dev/copy-tables";
/// "0-1-7,0-1-9": transactions of the source that capture passes without their rows; the tables that they may have
/// changed are copied again.
inline constexpr std::string_view kAcceptGtid = "datasync.dev/accept-gtid";
/// Any value; one that is not that of the run before runs a completed `mode: Once` again.
inline constexpr std::string_view kRunAgain = "datasync.dev/run-again";
/// Any value; a changed one restarts the agents.
inline constexpr std::string_view kRestart = "datasync.dev/restart";
/// The id of the installation that shall manage the resource; others leave it alone.
inline constexpr std::string_view kOperator = "datasync.dev/operator";
/// There only with `deletionPolicy: Delete`.
inline constexpr std::string_view kCleanupFinalizer = "datasync.dev/cleanup";

struct Metadata {
  std::string name;
  std::string namespace_ = "default";
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

/// A secret with a user name and a password.
struct Credentials {
  std::string secret_name;
  std::string username_key = "username";
  std::string password_key = "password";
};

struct ServerTls {
  config::TlsMode mode = config::TlsMode::Disabled;
  std::string ca_secret_name;  ///< key ca.crt; empty: the system's authorities
};

struct Snapshot {
  config::SnapshotMode mode = config::SnapshotMode::Initial;
  std::uint32_t chunk_rows = 10000;
  std::uint32_t parallelism = 2;
};

struct Source {
  config::Engine engine = config::Engine::MariaDB;
  std::vector<config::HostPort> replicas;
  bool allow_primary = false;
  bool allow_cascades = false;
  Credentials credentials;
  ServerTls tls;
  std::vector<config::Type> types;
  Snapshot snapshot;
  config::OnPositionLost on_position_lost = config::OnPositionLost::Halt;
};

struct ChannelTls {
  bool enabled = false;                        ///< also on when one of the secrets is named
  std::string ca_secret_name;                  ///< key ca.crt
  std::string client_certificate_secret_name;  ///< keys tls.crt, tls.key
  [[nodiscard]] bool on() const {
    return enabled || !ca_secret_name.empty() || !client_certificate_secret_name.empty();
  }
};

struct Sasl {
  std::string mechanism;  ///< SCRAM-SHA-512 (also when empty) or PLAIN
  Credentials credentials;
  [[nodiscard]] bool on() const { return !credentials.secret_name.empty(); }
};

struct Channel {
  std::string bootstrap_servers;
  std::string topic;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = 3;
  ChannelTls tls;
  Sasl sasl;
};

struct Destination {
  config::Engine engine = config::Engine::MariaDB;
  std::string host;
  std::uint16_t port = 0;  ///< after reading: as given, or the engine's own
  Credentials credentials;
  ServerTls tls;
  std::map<std::string, std::string> rename;
  bool create_tables = true;
  config::SchemaChanges schema_changes = config::SchemaChanges::ApplyAdditive;
  config::OnConflict on_conflict = config::OnConflict::Halt;
  config::OnTableError on_table_error = config::OnTableError::HoldStream;
  std::string ledger_database = "datasync";
};

/// How an agent's pod is to look; the content is Kubernetes' own.
struct Agent {
  config::Value resources;
  config::Value pod_template;
};

/// What deleting the resource does with its topics and its rows in the ledger.
enum class DeletionPolicy : std::uint8_t { Retain, Delete };

struct Spec {
  config::Mode mode = config::Mode::Continuous;
  bool paused = false;
  DeletionPolicy deletion_policy = DeletionPolicy::Retain;
  std::optional<Source> source;
  Channel channel;
  std::optional<Destination> destination;
  std::vector<std::string> types;  ///< target types; empty: all
  Agent capture, apply;
};

struct DataSync {
  Metadata metadata;
  Spec spec;
  /// "namespace/name": the identity of the task.
  [[nodiscard]] std::string id() const { return metadata.namespace_ + "/" + metadata.name; }
};

}  // namespace datasync::api
