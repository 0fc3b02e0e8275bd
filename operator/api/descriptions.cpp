// What `kubectl explain datasync.spec` says of each field.
#include "operator/api/crd.hpp"

namespace datasync::api {
namespace {

constexpr Described kDescriptions[] = {
    {"spec", "What is to be replicated, from where, through which topic, and to where."},
    {"spec.mode",
     "Continuous keeps the destination up to date until it is told otherwise. Once copies, verifies and finishes."},
    {"spec.paused",
     "True stops both agents. Nothing is lost: they go on from where they stood when it is false again."},
    {"spec.deletionPolicy",
     "What deleting this resource does besides ending its agents. Retain keeps topic, ledger and rows. Delete removes "
     "the topics (when this resource has a source) and this task's rows in the ledger; rows that were stored stay."},
    {"spec.source",
     "The database whose changes are captured. Leave it out where only a destination is fed from a "
     "topic that another resource fills."},
    {"spec.source.engine", "The kind of server. It cannot be changed."},
    {"spec.source.replicas",
     "Servers to read from, best first, each by a name of its own. The agent takes the first that has the position and "
     "is not more than 60 seconds late, else the least late one, and moves on when it fails."},
    {"spec.source.replicas[]", "One server."},
    {"spec.source.replicas[].host", "Host name or address."},
    {"spec.source.replicas[].port", "TCP port."},
    {"spec.source.allowPrimary", "Read from a writable server too. Otherwise one is refused, to spare the primary."},
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
     "The types of data this source gives. Each table belongs to at most one type; "
     "1000 tables in all."},
    {"spec.source.types[]", "A type: a named set of tables that travel and are stored together."},
    {"spec.source.types[].name", "Name of the type, as the topic and target types use it."},
    {"spec.source.types[].tables", "Tables as DATABASE.TABLE. Each is named in full; there are no wildcards."},
    {"spec.source.types[].tables[]", "A table as DATABASE.TABLE."},
    {"spec.source.types[].excludeColumns",
     "Columns that never leave the source, as DATABASE.TABLE.COLUMN, of tables of this type."},
    {"spec.source.types[].excludeColumns[]", "A column as DATABASE.TABLE.COLUMN."},
    {"spec.source.types[].keyColumns",
     "For tables without a primary key: DATABASE.TABLE and the columns that name a row uniquely."},
    {"spec.source.types[].keyColumns{}", "The columns that name a row of this table uniquely."},
    {"spec.source.types[].keyColumns{}[]", "A column of the table."},
    {"spec.source.snapshot", "How rows that exist before the capture begins are copied."},
    {"spec.source.snapshot.mode", "Initial copies them, while changes go on. Never begins with the changes."},
    {"spec.source.snapshot.chunkRows", "Rows that are read at a time."},
    {"spec.source.snapshot.parallelism", "Chunks that are read at the same time."},
    {"spec.source.onPositionLost",
     "When no replica has the needed binlogs any more. Halt: wait for a person. Resnapshot: copy everything anew."},
    {"spec.channel",
     "The Kafka topic between source and destination. NAME.state beside it holds what agents agree on."},
    {"spec.channel.bootstrapServers", "Brokers to begin with, as HOST:PORT,HOST:PORT."},
    {"spec.channel.topic",
     "Name of the topic; created when it is missing. It cannot be changed: another topic is another DataSync."},
    {"spec.channel.partitions",
     "Streams of the topic when it is created. 1 keeps source transactions whole; more spread the types, each "
     "of which stays in order. It cannot be changed."},
    {"spec.channel.replicationFactor", "Copies of the topic among the brokers when it is created."},
    {"spec.channel.tls", "Encryption of the connection to the brokers."},
    {"spec.channel.tls.enabled", "Encrypt; also on when one of the secrets is named."},
    {"spec.channel.tls.caSecretName",
     "Secret with the certificate authority in key ca.crt. Without it the system's authorities are used."},
    {"spec.channel.tls.clientCertificateSecretName", "Secret with the agents' certificate in tls.crt and tls.key."},
    {"spec.channel.sasl", "Login at the brokers."},
    {"spec.channel.sasl.mechanism", "SCRAM-SHA-512, also when empty, or PLAIN."},
    {"spec.channel.sasl.secretName", "Secret in this namespace with user name and password. Without it: no login."},
    {"spec.channel.sasl.usernameKey", "Key of the user name in the secret."},
    {"spec.channel.sasl.passwordKey", "Key of the password in the secret."},
    {"spec.destination", "The database that rows are stored in. Leave it out where only a topic is to be filled."},
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
     "Source table and the destination table that takes its rows, both DATABASE.TABLE."},
    {"spec.destination.tables.rename{}", "The destination's table as DATABASE.TABLE."},
    {"spec.destination.createTables", "Create a table that is missing at the destination."},
    {"spec.destination.schemaChanges",
     "What to do when a source table changes. Halt: wait for a person. ApplyAdditive: add new columns and widen "
     "existing ones. ApplyAll: remove and narrow too (not with PostgreSQL)."},
    {"spec.destination.onConflict",
     "When a row to insert is there already, or one to update or delete is missing. Halt: wait for a person. "
     "Overwrite: the source is right."},
    {"spec.destination.onTableError",
     "When one table cannot be applied: a row is refused, the table is missing or does not fit. HoldStream: its stream "
     "waits, source transactions stay whole. HoldTable: only this table waits, and the tables that foreign keys "
     "connect "
     "to it; the others continue, so that a source transaction is stored in parts."},
    {"spec.destination.ledgerDatabase",
     "Database of the table that holds how far each stream has been applied. It cannot be changed: without its ledger "
     "the task would begin anew."},
    {"spec.types",
     "The types that this task stores. Left out or empty: all types of the source. Without a source here they are "
     "checked against the topic."},
    {"spec.types[]", "Name of a type."},
    {"spec.capture", "How the capture agent's pod is to look."},
    {"spec.capture.resources", "Requests and limits of the container, as in a Pod."},
    {"spec.capture.podTemplate",
     "Metadata and spec that are merged into the pod's: labels, annotations, nodeSelector, "
     "affinity, tolerations, priorityClassName, imagePullSecrets..."},
    {"spec.apply", "How the apply agent's pod is to look."},
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
