#include "agents/config/config.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "agents/config/fields.hpp"
#include "agents/config/names.hpp"
#include "agents/config/patterns.hpp"

namespace datasync::config {
namespace {

constexpr std::string_view kLogLevels[] = {"debug", "info", "warn", "error"};
constexpr std::string_view kLogFormats[] = {"auto", "json", "text"};
constexpr std::string_view kCompressions[] = {"none", "lz4", "zstd"};
constexpr std::string_view kSaslMechanisms[] = {"", "PLAIN", "SCRAM-SHA-512"};

constexpr std::int64_t kMiB = 1 << 20;

// Describes a text field whose value must be one of `words`.
void word(Fields& f, std::string_view name, std::string& value, std::span<const std::string_view> words) {
  auto index = static_cast<std::size_t>(std::find(words.begin(), words.end(), value) - words.begin());
  if (index == words.size()) index = 0;
  f.choice(name, index, words);
  value = words[index];
}

void path(Fields& f, std::string_view name, std::filesystem::path& value) {
  auto text = value.string();
  f.text(name, text);
  value = text;
}

void secret_ref(Fields& f, SecretRef& s) {
  f.text("secretName", s.secret_name, {Need::Optional, &kDnsName});
  f.text("key", s.key, {Need::Optional, &kSecretKey});
}

void credentials(Fields& f, Credentials& c) {
  f.object("username", c.username, secret_ref);
  f.object("password", c.password, secret_ref);
}

void server_tls(Fields& f, ServerTls& t) {
  f.choice("mode", t.mode, kTlsModes);
  f.object("ca", t.ca, secret_ref);
}

void host_port(Fields& f, HostPort& h) {
  f.text("host", h.host, {Need::Required, &kHost});
  f.integer("port", h.port, {1, 65535});
}

void channel(Fields& f, Channel& c) {
  f.text("bootstrapServers", c.bootstrap_servers, {Need::Required, &kBootstrap});
  f.text("topic", c.topic, {Need::Required, &kTopic});
  f.integer("partitions", c.partitions, {1, 1000});
  f.integer("replicationFactor", c.replication_factor, {1, 100});
  f.flag("tls", c.tls);
  f.object("tlsCa", c.tls_ca, secret_ref);
  f.object("tlsCertificate", c.tls_certificate, secret_ref);
  f.object("tlsKey", c.tls_key, secret_ref);
  word(f, "saslMechanism", c.sasl_mechanism, kSaslMechanisms);
  f.object("saslUsername", c.sasl_username, secret_ref);
  f.object("saslPassword", c.sasl_password, secret_ref);
}

void common(Fields& f, Common& c) {
  f.text("name", c.name, {Need::Required, nullptr});
  f.text("instance", c.instance);
  path(f, "secretsDir", c.secrets_dir);
  f.integer("httpPort", c.http_port, {0, 65535});
  path(f, "httpPortFile", c.http_port_file);
  f.text("httpHost", c.http_host, {Need::Optional, &kHost});
  word(f, "logLevel", c.log_level, kLogLevels);
  word(f, "logFormat", c.log_format, kLogFormats);
  f.object("channel", c.channel, channel, Need::Required);
  f.choice("mode", c.mode, kModes);
}

void type(Fields& f, Type& t) {
  f.text("name", t.name, {Need::Required, &kTypeName});
  f.texts("tables", t.tables, {1, &kTableName});
  f.texts("excludeColumns", t.exclude_columns, {0, &kColumnName});
  f.texts_map("keyColumns", t.key_columns, {0, &kTableName});
}

void capture(Fields& f, Capture& c) {
  common(f, c.common);
  f.choice("engine", c.engine, kEngines);
  f.objects("replicas", c.replicas, host_port, {1});
  f.flag("allowPrimary", c.allow_primary);
  f.flag("allowCascades", c.allow_cascades);
  f.object("credentials", c.credentials, credentials);
  f.object("serverTls", c.tls, server_tls);
  f.integer("serverId", c.server_id, {0, 4294967295});
  f.objects("types", c.types, type, {1});
  f.choice("snapshotMode", c.snapshot_mode, kSnapshotModes);
  f.integer("chunkRows", c.chunk_rows, {1, 1'000'000});
  f.integer("parallelism", c.parallelism, {1, 32});
  f.choice("onPositionLost", c.on_position_lost, kOnPositionLost);
  f.text("acceptPositionLost", c.accept_position_lost);
  f.text("copyTables", c.copy_tables, {Need::Optional, &kCopyTables});
  f.text("acceptGtid", c.accept_gtid, {Need::Optional, &kGtidList});
  f.millis("heartbeatMs", c.heartbeat, {10, 60'000});
  f.millis("watchdogMs", c.watchdog, {100, 600'000});
  f.millis("checkpointEveryMs", c.checkpoint_every, {10, 600'000});
  f.integer("maxInFlightBytes", c.max_in_flight_bytes, {kMiB, 1024 * kMiB});
  f.integer("recordBytes", c.record_bytes, {1024, 16 * kMiB});
  word(f, "compression", c.compression, kCompressions);
}

void apply(Fields& f, Apply& a) {
  common(f, a.common);
  f.choice("engine", a.engine, kEngines);
  f.object("destination", a.destination, host_port, Need::Required);
  f.object("credentials", a.credentials, credentials);
  f.object("serverTls", a.tls, server_tls);
  f.texts("types", a.types, {0, &kTypeName});
  f.text_map("rename", a.rename, {0, &kTableName}, &kTableName);
  f.flag("createTables", a.create_tables);
  f.choice("schemaChanges", a.schema_changes, kSchemaChanges);
  f.choice("onConflict", a.on_conflict, kOnConflict);
  f.choice("onTableError", a.on_table_error, kOnTableError);
  f.text("ledgerDatabase", a.ledger_database, {Need::Optional, &kDatabase});
  f.integer("batchRows", a.batch_rows, {1, 1'000'000});
  f.integer("batchBytes", a.batch_bytes, {1024, 1024 * kMiB});
  f.millis("batchTimeMs", a.batch_time, {0, 60'000});
  f.texts("skipOffsets", a.skip_offsets, {0, &kStreamOffset});
  f.text("copyTables", a.copy_tables, {Need::Optional, &kCopyTables});
}

// The rules that concern more than one field.
void cross_check(const Capture& c, std::vector<Problem>& problems) {
  if (c.watchdog < 2 * c.heartbeat) {
    problems.push_back({"watchdogMs", "must be at least twice heartbeatMs, or an idle replica counts as unreachable"});
  }
}
void cross_check(const Apply& /*a*/, std::vector<Problem>& /*problems*/) {}

template <class T>
std::string write_as(const T& value, void (*describe)(Fields&, T&)) {
  auto copy = value;  // writing only reads the fields, but one description serves all passes
  return to_json(write_fields([&](Fields& f) { describe(f, copy); }));
}

template <class T>
base::Result<T> read_as(std::string_view json, void (*describe)(Fields&, T&)) {
  DS_ASSIGN(const auto tree, parse_json(json));
  T value;
  auto problems = read_fields(tree, [&](Fields& f) { describe(f, value); });
  if (problems.empty()) cross_check(value, problems);
  DS_TRY(to_result(problems));
  return value;
}

}  // namespace

std::string write(const Capture& c) {
  return write_as(c, capture);
}
std::string write(const Apply& a) {
  return write_as(a, apply);
}
base::Result<Capture> read_capture(std::string_view json) {
  return read_as(json, capture);
}
base::Result<Apply> read_apply(std::string_view json) {
  return read_as(json, apply);
}

base::Result<std::string> read_file(const std::filesystem::path& file) {
  const auto failed = [&](int number) {
    return base::Error(base::Reason::ConfigInvalid,
                       fmt::format("{} cannot be read: {}", file.string(), std::generic_category().message(number)));
  };
  // An ifstream opens a directory without an error and throws when it is read.
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) return failed(EISDIR);
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return failed(errno);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace datasync::config
