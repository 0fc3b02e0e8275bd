// What `kubectl explain datasync.spec` says of each field.
#include "operator/api/crd.hpp"

namespace datasync::api {
namespace {

constexpr Described kDescriptions[] = {
    {"spec", "What is to be replicated, from where, through which topic, and to where."},
    {"spec.mode", "Continuous keeps the destination up to date. Once copies, verifies and completes."},
    {"spec.paused",
     "True stops both agents. Nothing is lost: they continue from the same position when it is false again."},
    {"spec.deletionPolicy",
     "What deleting this resource does besides stopping its agents. Retain keeps topic, ledger and rows. Delete "
     "deletes the topics (when this resource has a source) and this task's rows in the ledger; rows that were stored "
     "are kept."},
    {"spec.source",
     "The database whose changes are captured. Omit it when this resource only stores rows of a topic that another "
     "resource fills."},
    {"spec.source.engine", "The kind of server. It cannot be changed."},
    {"spec.source.replicas",
     "Servers to read from, in order of preference, each by its own host name. The agent uses the first one that has "
     "the position and at most 60 seconds of replication lag, else the one with the least lag, and fails over to "
     "another one when it fails."},
    {"spec.source.replicas[]", "One server."},
    {"spec.source.replicas[].host", "Host name or address."},
    {"spec.source.replicas[].port", "TCP port."},
    {"spec.source.allowPrimary",
     "Allow reading from a writable server. Otherwise a writable server is refused, to avoid load on the primary."},
    {"spec.source.allowCascades",
     "Accept captured tables with cascading foreign keys. Rows that a cascade changes are not in the binlog: only set "
     "this when the destination has the same foreign keys."},
    {"spec.source.credentials", "The user that reads the binlog and the tables."},
    {"spec.source.credentials.secretName", "Secret in this namespace with user name and password."},
    {"spec.source.credentials.usernameKey", "Key of the user name in the secret."},
    {"spec.source.credentials.passwordKey", "Key of the password in the secret."},
    {"spec.source.tls", "Encryption of the connection to the replicas."},
    {"spec.source.tls.mode",
     "Disabled: none. Required: encrypted, the server is not verified. VerifyCa: its certificate is verified. "
     "VerifyIdentity: its name too."},
    {"spec.source.tls.caSecretName",
     "Secret with the certificate authority in key ca.crt. Without it the system's authorities are used."},
    {"spec.source.types",
     "The types of data that this source publishes. Each table belongs to at most one type; 1000 tables in all."},
    {"spec.source.types[]", "A type: a named set of tables that are published and stored together."},
    {"spec.source.types[].name", "Name of the type, as the topic and target types use it."},
    {"spec.source.types[].tables", "Tables as DATABASE.TABLE. Each is named in full; there are no wildcards."},
    {"spec.source.types[].tables[]", "A table as DATABASE.TABLE."},
    {"spec.source.types[].excludeColumns",
     "Columns that are never published, as DATABASE.TABLE.COLUMN, of tables of this type."},
    {"spec.source.types[].excludeColumns[]", "A column as DATABASE.TABLE.COLUMN."},
    {"spec.source.types[].keyColumns",
     "For tables without a primary key: DATABASE.TABLE and the columns that identify a row uniquely."},
    {"spec.source.types[].keyColumns{}", "The columns that identify a row of this table uniquely."},
    {"spec.source.types[].keyColumns{}[]", "A column of the table."},
    {"spec.source.snapshot", "How rows that exist before capture begins are copied."},
    {"spec.source.snapshot.mode",
     "Initial: copy existing rows while changes are captured. Never: capture changes only."},
    {"spec.source.snapshot.chunkRows", "Rows that are read at a time, at most. Of large rows fewer are read."},
    {"spec.source.snapshot.parallelism", "Chunks that are read at the same time."},
    {"spec.source.onPositionLost",
     "What to do when no replica has the required binlogs any more. Halt: stop until a user fixes it. Resnapshot: copy "
     "all tables again."},
    {"spec.channel",
     "The Kafka topic between source and destination. The topic NAME.state holds the agents' claims, checkpoints and "
     "table definitions."},
    {"spec.channel.bootstrapServers", "Bootstrap brokers, as HOST:PORT,HOST:PORT."},
    {"spec.channel.topic",
     "Name of the topic; created if it is missing. It cannot be changed: use another DataSync for another topic."},
    {"spec.channel.partitions",
     "Number of partitions (streams) when the topic is created. 1 keeps source transactions whole; with more, the "
     "types are distributed, and each type keeps its order. It cannot be changed."},
    {"spec.channel.replicationFactor", "Copies of the topic among the brokers when it is created."},
    {"spec.channel.tls", "Encryption of the connection to the brokers."},
    {"spec.channel.tls.enabled", "Encrypt; also enabled when one of the secrets is set."},
    {"spec.channel.tls.caSecretName",
     "Secret with the certificate authority in key ca.crt. Without it the system's authorities are used."},
    {"spec.channel.tls.clientCertificateSecretName", "Secret with the agents' certificate in tls.crt and tls.key."},
    {"spec.channel.sasl", "Authentication at the brokers."},
    {"spec.channel.sasl.mechanism", "SCRAM-SHA-512 (also when empty) or PLAIN."},
    {"spec.channel.sasl.secretName",
     "Secret in this namespace with user name and password. Without it: no authentication."},
    {"spec.channel.sasl.usernameKey", "Key of the user name in the secret."},
    {"spec.channel.sasl.passwordKey", "Key of the password in the secret."},
    {"spec.destination", "The database that rows are stored in. Omit it when this resource only fills a topic."},
    {"spec.destination.engine", "The kind of server. It cannot be changed."},
    {"spec.destination.host", "Host name or address."},
    {"spec.destination.port", "TCP port. Default: 3306, for PostgreSQL 5432."},
    {"spec.destination.credentials", "The user that writes the rows and the ledger."},
    {"spec.destination.credentials.secretName", "Secret in this namespace with user name and password."},
    {"spec.destination.credentials.usernameKey", "Key of the user name in the secret."},
    {"spec.destination.credentials.passwordKey", "Key of the password in the secret."},
    {"spec.destination.tls", "Encryption of the connection to the destination."},
    {"spec.destination.tls.mode",
     "Disabled: none. Required: encrypted, the server is not verified. VerifyCa: its certificate is verified. "
     "VerifyIdentity: its name too."},
    {"spec.destination.tls.caSecretName",
     "Secret with the certificate authority in key ca.crt. Without it the system's authorities are used."},
    {"spec.destination.tables", "Where tables are stored. Default: under the same names."},
    {"spec.destination.tables.rename",
     "Source table and the destination table that stores its rows, both DATABASE.TABLE."},
    {"spec.destination.tables.rename{}", "The destination's table as DATABASE.TABLE."},
    {"spec.destination.createTables", "Create a table that is missing at the destination."},
    {"spec.destination.schemaChanges",
     "What to do when a source table changes. Halt: stop until a user fixes it. ApplyAdditive: add new columns and "
     "widen existing ones. ApplyAll: remove and narrow too (not with PostgreSQL)."},
    {"spec.destination.onConflict",
     "What to do when a row to insert exists already, or a row to update or delete is missing. Halt: stop until a user "
     "fixes it. Overwrite: make the row equal to the source's."},
    {"spec.destination.onTableError",
     "What to do when one table cannot be applied: a row is refused, the table is missing or does not match the "
     "source. HoldStream: its stream stops, source transactions stay whole. HoldTable: only this table is held, and "
     "the tables that foreign keys connect to it; the others continue, so that a source transaction is stored in "
     "parts."},
    {"spec.destination.ledgerDatabase",
     "Database of the table that holds how far each stream has been applied. It cannot be changed: without its ledger "
     "the task would start from the beginning."},
    {"spec.types",
     "The types that this task stores. Omitted or empty: all types of the source. Without a source here they are "
     "checked against the topic."},
    {"spec.types[]", "Name of a type."},
    {"spec.capture", "Settings of the capture agent's pod."},
    {"spec.capture.resources", "Requests and limits of the container, as in a Pod."},
    {"spec.capture.podTemplate",
     "Metadata and spec that are merged into the pod's: labels, annotations, nodeSelector, "
     "affinity, tolerations, priorityClassName, imagePullSecrets..."},
    {"spec.apply", "Settings of the apply agent's pod."},
    {"spec.apply.resources", "Requests and limits of the container, as in a Pod."},
    {"spec.apply.podTemplate",
     "Metadata and spec that are merged into the pod's: labels, annotations, nodeSelector, "
     "affinity, tolerations, priorityClassName, imagePullSecrets..."},
};

}  // namespace

std::span<const Described> descriptions() {
  return kDescriptions;
}

}  // namespace datasync::api
