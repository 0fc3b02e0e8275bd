// The one table of the resource's fields.
#include "agents/config/fields.hpp"

#include <cstdint>

#include "agents/config/names.hpp"
#include "agents/config/patterns.hpp"
#include "operator/api/describe.hpp"
#include "operator/api/read.hpp"

namespace datasync::api {
namespace {

using config::Fields;
using config::Need;

bool is_mechanism(std::string_view s) {
  return s == "SCRAM-SHA-512" || s == "PLAIN";
}
constexpr config::Pattern kMechanism{"^(SCRAM-SHA-512|PLAIN)$", "SCRAM-SHA-512 or PLAIN", is_mechanism, 13};

constexpr std::string_view kDeletionPolicies[] = {"Retain", "Delete"};
constexpr auto kSourceEngines = std::span(config::kEngines).first(2);  // a PostgreSQL source has no binlog

// An API server weighs the CRD's rules by the longest lists they may meet, and refuses a CRD that weighs too much.
constexpr std::size_t kMostReplicas = 32;
constexpr std::size_t kMostTypes = 30;
constexpr std::size_t kMostTables = 100;  // of one type
constexpr std::size_t kMostColumns = 100;
constexpr std::size_t kMostKeyColumns = 16;
constexpr std::size_t kMostRenames = 300;

void secret_keys(Fields& f, Credentials& c, Need need) {
  f.text("secretName", c.secret_name, {need, &config::kDnsName});
  f.text("usernameKey", c.username_key, {Need::Optional, &config::kSecretKey});
  f.text("passwordKey", c.password_key, {Need::Optional, &config::kSecretKey});
}

void credentials(Fields& f, Credentials& c) {
  secret_keys(f, c, Need::Required);
}

void server_tls(Fields& f, ServerTls& t) {
  f.choice("mode", t.mode, config::kTlsModes);
  f.text("caSecretName", t.ca_secret_name, {Need::Optional, &config::kDnsName});
}

void replica(Fields& f, config::HostPort& h) {
  f.text("host", h.host, {Need::Required, &config::kHost});
  f.integer("port", h.port, {1, 65535});
}

void type(Fields& f, config::Type& t) {
  f.text("name", t.name, {Need::Required, &config::kTypeName});
  f.texts("tables", t.tables, {1, &config::kTableName, kMostTables});
  f.texts("excludeColumns", t.exclude_columns, {0, &config::kColumnName, kMostColumns});
  f.texts_map("keyColumns", t.key_columns, {0, &config::kTableName, kMostTables},
              {1, &config::kKeyColumn, kMostKeyColumns});
}

void snapshot(Fields& f, Snapshot& s) {
  f.choice("mode", s.mode, config::kSnapshotModes);
  f.integer("chunkRows", s.chunk_rows, {1, 1'000'000});
  f.integer("parallelism", s.parallelism, {1, 32});
}

void source(Fields& f, Source& s) {
  f.choice("engine", s.engine, kSourceEngines);
  f.objects("replicas", s.replicas, replica, {1, kMostReplicas});
  f.flag("allowPrimary", s.allow_primary);
  f.flag("allowCascades", s.allow_cascades);
  f.object("credentials", s.credentials, credentials, Need::Required);
  f.object("tls", s.tls, server_tls);
  f.objects("types", s.types, type, {1, kMostTypes});
  f.object("snapshot", s.snapshot, snapshot);
  f.choice("onPositionLost", s.on_position_lost, config::kOnPositionLost);
}

void channel_tls(Fields& f, ChannelTls& t) {
  f.flag("enabled", t.enabled);
  f.text("caSecretName", t.ca_secret_name, {Need::Optional, &config::kDnsName});
  f.text("clientCertificateSecretName", t.client_certificate_secret_name, {Need::Optional, &config::kDnsName});
}

void sasl(Fields& f, Sasl& s) {
  f.text("mechanism", s.mechanism, {Need::Optional, &kMechanism});
  secret_keys(f, s.credentials, Need::Optional);
}

void channel(Fields& f, Channel& c) {
  f.text("bootstrapServers", c.bootstrap_servers, {Need::Required, &config::kBootstrap});
  f.text("topic", c.topic, {Need::Required, &config::kTopic});
  f.integer("partitions", c.partitions, {1, 1000});
  f.integer("replicationFactor", c.replication_factor, {1, 100});
  f.object("tls", c.tls, channel_tls);
  f.object("sasl", c.sasl, sasl);
}

void tables(Fields& f, Destination& d) {
  f.text_map("rename", d.rename, {0, &config::kTableName, kMostRenames}, &config::kTableName);
}

void destination(Fields& f, Destination& d) {
  f.choice("engine", d.engine, config::kEngines);
  f.text("host", d.host, {Need::Required, &config::kHost});
  f.integer("port", d.port, {1, 65535});
  f.object("credentials", d.credentials, credentials, Need::Required);
  f.object("tls", d.tls, server_tls);
  f.object("tables", d, tables);
  f.flag("createTables", d.create_tables);
  f.choice("schemaChanges", d.schema_changes, config::kSchemaChanges);
  f.choice("onConflict", d.on_conflict, config::kOnConflict);
  f.choice("onTableError", d.on_table_error, config::kOnTableError);
  f.text("ledgerDatabase", d.ledger_database, {Need::Optional, &config::kDatabase});
}

void agent(Fields& f, Agent& a) {
  f.opaque("resources", a.resources);
  f.opaque("podTemplate", a.pod_template);
}

void spec(Fields& f, Spec& s) {
  f.choice("mode", s.mode, config::kModes);
  f.flag("paused", s.paused);
  f.choice("deletionPolicy", s.deletion_policy, kDeletionPolicies);
  f.object("source", s.source, source);
  f.object("channel", s.channel, channel, Need::Required);
  f.object("destination", s.destination, destination);
  f.texts("types", s.types, {0, &config::kTypeName, kMostTypes});
  f.object("capture", s.capture, agent);
  f.object("apply", s.apply, agent);
}

void metadata(Fields& f, Metadata& m) {
  f.text("name", m.name, {Need::Required, &config::kDnsLabel});
  f.text("namespace", m.namespace_, {Need::Optional, &config::kDnsLabel});
  f.text_map("labels", m.labels);
  f.text_map("annotations", m.annotations);
  for (const auto* name :
       {"uid", "resourceVersion", "generation", "generateName", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "finalizers", "managedFields", "ownerReferences", "selfLink"}) {
    f.ignored(name);
  }
}

}  // namespace

void describe(Fields& f, DataSync& r) {
  f.ignored("apiVersion");  // checked before the fields are read
  f.ignored("kind");
  f.object("metadata", r.metadata, metadata, Need::Required);
  f.object("spec", r.spec, spec, Need::Required);
  f.ignored("status");
}

std::vector<config::FieldInfo> resource_fields() {
  DataSync defaults;
  return config::list_fields([&](Fields& f) { describe(f, defaults); });
}

}  // namespace datasync::api
