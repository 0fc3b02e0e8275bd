#pragma once
// The closed list of reasons for a failure. Users see a reason in a status, a log line and an event; docs/reasons.md is
// generated from this list.

#include <cstdint>
#include <span>
#include <string_view>

namespace datasync::base {

/// What the component that receives an error does about it.
enum class Outcome : std::uint8_t {
  Retry,  ///< recovers automatically: the agent retries with bounded, jittered back-off; data is not affected
  Halt,   ///< needs manual action: the agent stops at this position, reports why, skips nothing, and retries slowly
  Exit,   ///< another instance has taken over, or a stop was requested: the agent terminates at once
};

// name, outcome, meaning and what to do
#define DATASYNC_REASONS(X)                                                                                           \
  X(Stopping, Exit, "A stop was requested.")                                                                          \
  X(Superseded, Exit, "A newer instance of this agent has taken over the stream.")                                    \
  X(SourceUnreachable, Retry, "No replica answers. Check host, port, network and that the server runs.")              \
  X(SourceSilent, Retry, "The replica sent nothing, not even a heartbeat, for longer than the watchdog allows.")      \
  X(SourceRestarted, Retry, "The replica closed the connection. The agent reconnects.")                               \
  X(SourceMoved, Retry,                                                                                               \
    "A replica's host name resolves to different servers, so snapshot rows cannot be ordered with the changes. Name " \
    "every replica by a name of its own, not by a Service over several.")                                             \
  X(SourceSearching, Retry,                                                                                           \
    "The replica searches its binlog for the position and sends nothing meanwhile; behind a transaction of several "  \
    "GB this takes minutes. The message says for how long it has been searching.")                                    \
  X(ReplicationStopped, Retry,                                                                                        \
    "The replica in use receives or applies nothing from its primary, and no other replica does better. What it has " \
    "is published; the message names what stopped. Start its replication.")                                           \
  X(WaitingForReplica, Retry, "Every reachable replica is behind the position already published.")                    \
  X(CredentialsRejected, Retry, "The server refused user or password. Fix the secret; the agent reads it again.")     \
  X(CertificateRejected, Retry,                                                                                       \
    "The server's certificate was refused, or it refuses the agent's: wrong CA, expired, or for another name; the "   \
    "message says which. Fix the secret or the certificate; the agent reads it again.")                               \
  X(PermissionDenied, Retry, "The user lacks a privilege that the message names.")                                    \
  X(SecretNotFound, Retry, "A secret file is missing. Create the secret.")                                            \
  X(BrokerUnreachable, Retry, "No Kafka broker answers.")                                                             \
  X(BrokerRejected, Retry, "A Kafka broker refused a request; the message names which.")                              \
  X(ProducerFailed, Retry, "The Kafka producer failed; the agent starts a new epoch.")                                \
  X(DestinationUnreachable, Retry, "The destination does not answer or closed the connection.")                       \
  X(DestinationBusy, Retry, "Deadlock or lock wait at the destination; the batch is tried again.")                    \
  X(DestinationReadOnly, Retry, "The destination refuses writes.")                                                    \
  X(DestinationFull, Retry, "The destination has no space left.")                                                     \
  X(SourceRefused, Retry,                                                                                             \
    "A replica refused a request with an error that has no reason of its own. The message has its number and text.")  \
  X(DestinationRefused, Halt,                                                                                         \
    "The destination refused a statement with an error that has no reason of its own. Correct what the message says " \
    "at the destination; the agent tries again.")                                                                     \
  X(AwaitingCopy, Retry,                                                                                              \
    "Rows of the named tables are left out until the requested copy begins; the rest is applied.")                    \
  X(PreflightFailed, Halt, "A server does not meet the requirements; the message lists all of them with the fix.")    \
  X(BinlogPurged, Halt, "The replica no longer has the binlogs that are needed. See onPositionLost.")                 \
  X(PositionUnknown, Halt,                                                                                            \
    "The record of the position, or rows that are needed from before it, are missing. See onPositionLost.")           \
  X(GtidDiverged, Halt,                                                                                               \
    "The replica's history is not the one that was published (reset, restore, errant writes, numbers that decreased " \
    "while gtid_strict_mode was off). Name a replica that has the published history. If the source's own history "    \
    "changed: make a first copy on another channel.topic, with empty tables at the destination.")                     \
  X(DuplicateServerId, Halt, "Another client uses the same server id and the server keeps cutting one of the two.")   \
  X(BinlogCorrupt, Halt, "An event is damaged or not understood at the named position.")                              \
  X(StatementFormat, Halt,                                                                                            \
    "A statement, not rows, changed a captured table. Set binlog_format=ROW in all sessions; at a replica whose "     \
    "value was changed while it runs, also restart the SQL thread.")                                                  \
  X(PartialRowImage, Halt,                                                                                            \
    "A row image lacks columns. Set binlog_row_image=FULL in all sessions; at a replica whose value was changed "     \
    "while it runs, also restart the SQL thread.")                                                                    \
  X(MetadataMissing, Halt, "A table map lacks column names or keys. Set binlog_row_metadata=FULL in all sessions.")   \
  X(UnsupportedEvent, Halt, "The binlog has an event this version does not read.")                                    \
  X(UnsupportedType, Halt, "A captured column has a type this version does not carry.")                               \
  X(UnsupportedValue, Halt, "A value cannot be carried without loss.")                                                \
  X(KeyMissing, Halt,                                                                                                 \
    "A captured table has no key that can be used: it has no primary key and no keyColumns, a key column does not "   \
    "exist or is excluded, or two rows have the same values in keyColumns. The message says which. Add a primary "    \
    "key, or declare other keyColumns.")                                                                              \
  X(EngineNotTransactional, Halt, "A captured table's storage engine has no transactions. Convert it to InnoDB.")     \
  X(SchemaUnknown, Halt, "The definition of a captured table does not fit its binlog events.")                        \
  X(SchemaChanged, Halt, "The source table changed in a way schemaChanges does not allow.")                           \
  X(TableDropped, Halt, "A captured table was dropped or renamed at the source.")                                     \
  X(XaTooLarge, Halt, "A prepared XA transaction is larger than the agent may hold.")                                 \
  X(RowTooLarge, Halt,                                                                                                \
    "A row is larger than a record of the topic may be: raise its max.message.bytes. Or a row or an event is larger " \
    "than the agent's memory limit allows: raise the limit. The message says which, and how to continue without it.") \
  X(TopicMissing, Halt,                                                                                               \
    "A topic does not exist. In state Retrying apply waits until capture has made it; in state Stalled it was "       \
    "deleted.")                                                                                                       \
  X(TopicMisconfigured, Halt, "The topic's settings would lose data; the message names them.")                        \
  X(OffsetExpired, Halt, "Retention removed messages that were not yet applied.")                                     \
  X(LogTruncated, Halt, "The topic ends before the offset already applied, or its state topic was emptied.")          \
  X(ForeignMessage, Halt,                                                                                             \
    "The topic has a message that DataSync did not write or that is damaged, at the named offset.")                   \
  X(RowConflict, Halt, "The destination row is not what the source says it was. See onConflict.")                     \
  X(ConstraintViolated, Halt, "A constraint of the destination refuses a row.")                                       \
  X(ValueNotStorable, Halt, "A destination column cannot hold a value.")                                              \
  X(DestinationTableMissing, Halt,                                                                                    \
    "A destination table does not exist and createTables is off; or a table that the agent has written to no longer " \
    "exists, or was recreated without its rows. The message says which, and how to continue.")                        \
  X(DestinationSchemaMismatch, Halt, "A destination table does not fit the source table.")                            \
  X(LedgerInvalid, Halt, "The ledger at the destination does not fit the topic.")                                     \
  X(TypeAdded, Halt, "A type was added to a task that has begun; its earlier rows are not at the destination.")       \
  X(VerifyFailed, Halt, "Source and destination differ in the named tables.")                                         \
  X(CopyNeeded, Halt,                                                                                                 \
    "Rows of the named tables are left out until they are copied again, which apply may not request: annotate the "   \
    "DataSync that has the source with datasync.dev/copy-tables, as the message says.")                               \
  X(ConfigInvalid, Halt, "The configuration is not valid; the message names the field.")                              \
  X(Internal, Halt, "A defect in DataSync; please report it with the message.")

enum class Reason : std::uint8_t {
#define X(name, outcome, text) name,
  DATASYNC_REASONS(X)
#undef X
};

/// The properties of a reason.
struct ReasonInfo {
  Reason reason;
  std::string_view name;  ///< CamelCase, stable: users write alerts on it
  Outcome outcome;
  std::string_view text;  ///< one line for the user: the meaning and what to do
};

/// All reasons in declaration order.
std::span<const ReasonInfo> all_reasons() noexcept;
/// Returns the name, outcome and text of a reason.
const ReasonInfo& info(Reason reason) noexcept;
inline std::string_view to_string(Reason reason) noexcept {
  return info(reason).name;
}

}  // namespace datasync::base
