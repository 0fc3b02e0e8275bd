#include "operator/desired/desired.hpp"

#include <string_view>

#include "agents/config/orders.hpp"

namespace datasync::desired {
namespace {

constexpr const char* kCaKey = "ca.crt";
constexpr const char* kCertificateKey = "tls.crt";
constexpr const char* kPrivateKey = "tls.key";

// A key of a secret, or nothing when no secret is named.
config::SecretRef secret(const std::string& name, const std::string& key) {
  return name.empty() ? config::SecretRef{} : config::SecretRef{name, key};
}

config::Credentials credentials(const api::Credentials& c) {
  return {secret(c.secret_name, c.username_key), secret(c.secret_name, c.password_key)};
}

config::ServerTls server_tls(const api::ServerTls& t) {
  return {t.mode, secret(t.ca_secret_name, kCaKey)};
}

config::Common common(const api::DataSync& r, const Runtime& runtime) {
  config::Common out;
  out.name = r.id();
  out.instance = runtime.instance;
  out.secrets_dir = runtime.secrets_dir;
  out.http_port = runtime.http_port;
  out.http_port_file = runtime.http_port_file;
  out.http_host = runtime.http_host;
  out.log_level = runtime.log_level;
  out.log_format = runtime.log_format;
  out.channel = channel_config(r.spec.channel);
  out.mode = r.spec.mode;
  return out;
}

// Its text has been checked with the resource. Empty: there is none.
std::string annotation(const api::DataSync& r, std::string_view name) {
  const auto at = r.metadata.annotations.find(std::string(name));
  return at == r.metadata.annotations.end() ? std::string() : at->second;
}

}  // namespace

config::Channel channel_config(const api::Channel& c) {
  config::Channel out;
  out.bootstrap_servers = c.bootstrap_servers;
  out.topic = c.topic;
  out.partitions = c.partitions;
  out.replication_factor = c.replication_factor;
  out.tls = c.tls.on();
  out.tls_ca = secret(c.tls.ca_secret_name, kCaKey);
  out.tls_certificate = secret(c.tls.client_certificate_secret_name, kCertificateKey);
  out.tls_key = secret(c.tls.client_certificate_secret_name, kPrivateKey);
  if (c.sasl.on()) {
    out.sasl_mechanism = c.sasl.mechanism.empty() ? "SCRAM-SHA-512" : c.sasl.mechanism;
    const auto login = credentials(c.sasl.credentials);
    out.sasl_username = login.username;
    out.sasl_password = login.password;
  }
  return out;
}

config::Capture capture_config(const api::DataSync& resource, const Runtime& runtime) {
  const auto& s = *resource.spec.source;
  config::Capture out;
  out.common = common(resource, runtime);
  out.engine = s.engine;
  out.replicas = s.replicas;
  out.allow_primary = s.allow_primary;
  out.allow_cascades = s.allow_cascades;
  out.credentials = credentials(s.credentials);
  out.tls = server_tls(s.tls);
  out.types = s.types;
  out.snapshot_mode = s.snapshot.mode;
  out.chunk_rows = s.snapshot.chunk_rows;
  out.parallelism = s.snapshot.parallelism;
  out.on_position_lost = s.on_position_lost;
  out.accept_position_lost = annotation(resource, api::kAcceptPositionLost);
  out.accept_gtid = annotation(resource, api::kAcceptGtid);
  // With a destination apply asks for the copies, after it has written down that it waits for them.
  if (!resource.spec.destination) out.copy_tables = annotation(resource, api::kCopyTables);
  return out;
}

config::Apply apply_config(const api::DataSync& resource, const Runtime& runtime) {
  const auto& d = *resource.spec.destination;
  config::Apply out;
  out.common = common(resource, runtime);
  out.engine = d.engine;
  out.destination = {d.host, d.port};
  out.credentials = credentials(d.credentials);
  out.tls = server_tls(d.tls);
  out.types = resource.spec.types;
  out.rename = d.rename;
  out.create_tables = d.create_tables;
  out.schema_changes = d.schema_changes;
  out.on_conflict = d.on_conflict;
  out.on_table_error = d.on_table_error;
  out.ledger_database = d.ledger_database;
  out.skip_offsets = config::names_by_comma(annotation(resource, api::kSkipOffsets));
  out.copy_tables = annotation(resource, api::kCopyTables);
  return out;
}

}  // namespace datasync::desired
