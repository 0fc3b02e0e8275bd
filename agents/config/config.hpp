#pragma once
// The configuration files of the two agents: plain structs, read from and written to JSON. `operator/desired` builds
// them from a DataSync resource with one pure function; the agents read them at start. They contain no secret, only the
// directory and the key names under which secrets are mounted.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/result.hpp"

namespace datasync::config {

/// Refers to a file `DIR/secretName/key` under the agent's secrets directory.
struct SecretRef {
  std::string secret_name;  ///< empty: not set
  std::string key;
  [[nodiscard]] bool set() const noexcept { return !secret_name.empty(); }
  bool operator==(const SecretRef&) const = default;
};

enum class TlsMode : std::uint8_t { Disabled, Required, VerifyCa, VerifyIdentity };

struct ServerTls {
  TlsMode mode = TlsMode::Disabled;
  SecretRef ca;  ///< key ca.crt
  bool operator==(const ServerTls&) const = default;
};

struct Credentials {
  SecretRef username, password;
  bool operator==(const Credentials&) const = default;
};

struct HostPort {
  std::string host;
  std::uint16_t port = 3306;
  [[nodiscard]] std::string text() const { return host + ":" + std::to_string(port); }
  bool operator==(const HostPort&) const = default;
};

/// The Kafka cluster and the topic, with the settings of the connection.
struct Channel {
  std::string bootstrap_servers;
  std::string topic;
  std::int32_t partitions = 1;
  std::int16_t replication_factor = 3;
  bool tls = false;
  SecretRef tls_ca, tls_certificate, tls_key;
  std::string sasl_mechanism;  ///< empty, PLAIN or SCRAM-SHA-512
  SecretRef sasl_username, sasl_password;
  [[nodiscard]] std::string state_topic() const { return topic + ".state"; }
  bool operator==(const Channel&) const = default;
};

enum class Engine : std::uint8_t { MariaDB, MySQL, PostgreSQL };
enum class Mode : std::uint8_t { Continuous, Once };
enum class SnapshotMode : std::uint8_t { Initial, Never };
enum class OnPositionLost : std::uint8_t { Halt, Resnapshot };
enum class SchemaChanges : std::uint8_t { Halt, ApplyAdditive, ApplyAll };
enum class OnConflict : std::uint8_t { Halt, Overwrite };
enum class OnTableError : std::uint8_t { HoldStream, HoldTable };

/// A named set of captured tables.
struct Type {
  std::string name;
  std::vector<std::string> tables;           ///< "shop.orders"
  std::vector<std::string> exclude_columns;  ///< "shop.customers.password_hash"
  std::map<std::string, std::vector<std::string>>
      key_columns;  ///< table -> declared key, for tables without a primary key
  bool operator==(const Type&) const = default;
};

/// The fields that both agents have.
struct Common {
  std::string name;      ///< "namespace/name" of the resource: identity of the task
  std::string instance;  ///< this process; empty: see instance_of
  std::filesystem::path secrets_dir;
  std::uint16_t http_port = 0;           ///< 0: a free port, written to the log and to `http_port_file`
  std::filesystem::path http_port_file;  ///< empty: not written
  std::string http_host = "::";
  std::string log_level = "info";
  std::string log_format = "auto";
  Channel channel;
  Mode mode = Mode::Continuous;
  bool operator==(const Common&) const = default;
};

/// The configuration of the capture agent.
struct Capture {
  Common common;
  Engine engine = Engine::MariaDB;
  std::vector<HostPort> replicas;
  bool allow_primary = false;
  bool allow_cascades = false;  ///< captured tables may have foreign keys with cascading actions
  Credentials credentials;
  ServerTls tls;
  std::uint32_t server_id = 0;  ///< 0: derived from the task's name
  std::vector<Type> types;
  SnapshotMode snapshot_mode = SnapshotMode::Initial;
  std::uint32_t chunk_rows = 10000;
  std::uint32_t parallelism = 2;
  OnPositionLost on_position_lost = OnPositionLost::Halt;
  std::string accept_position_lost;  ///< the user's consent to Resnapshot at exactly this lost position
  /// Tables that a user requests to copy again, each value once: "shop.orders,shop.items#token", see orders.hpp.
  std::string copy_tables;
  /// Transactions "0-1-7,0-1-9" that a user allows capture to skip; the tables that they may have changed are copied
  /// again.
  std::string accept_gtid;
  std::chrono::milliseconds heartbeat{1000};  ///< period of heartbeats that a replica without events sends
  std::chrono::milliseconds watchdog{5000};   ///< the connection counts as broken after this time without data
  std::chrono::milliseconds checkpoint_every{2000};
  std::uint64_t max_in_flight_bytes = 24ULL << 20U;  ///< produced and not yet acknowledged
  std::uint64_t record_bytes = 256ULL << 10U;        ///< target size of a record that contains many rows
  std::string compression = "none";                  ///< none, lz4, zstd
  bool operator==(const Capture&) const = default;
};

/// The configuration of the apply agent.
struct Apply {
  Common common;
  Engine engine = Engine::MariaDB;
  HostPort destination;
  Credentials credentials;
  ServerTls tls;
  std::vector<std::string> types;             ///< target types; empty: all
  std::map<std::string, std::string> rename;  ///< "shop.orders" -> "dr_shop.orders"
  bool create_tables = true;
  SchemaChanges schema_changes = SchemaChanges::ApplyAdditive;
  OnConflict on_conflict = OnConflict::Halt;
  OnTableError on_table_error = OnTableError::HoldStream;
  std::string ledger_database = "datasync";
  std::uint32_t batch_rows = 1000;          ///< a destination transaction is committed at this many rows,
  std::uint64_t batch_bytes = 4ULL << 20U;  ///< or bytes,
  std::chrono::milliseconds batch_time{0};  ///< or when no more records are available and it is this old
  std::vector<std::string> skip_offsets;    ///< "partition:offset" of records that a user allows apply to skip
  std::string copy_tables;                  ///< as Capture::copy_tables; requested through the state topic
  bool operator==(const Apply&) const = default;
};

// JSON, with keys in camelCase as in the resource. Errors of reading: ConfigInvalid with the path of every invalid
// field, one per line; unknown keys are errors.
std::string write(const Capture&);
std::string write(const Apply&);
base::Result<Capture> read_capture(std::string_view json);
base::Result<Apply> read_apply(std::string_view json);
/// Reads a whole file. Errors: ConfigInvalid naming the file.
base::Result<std::string> read_file(const std::filesystem::path& file);

}  // namespace datasync::config
