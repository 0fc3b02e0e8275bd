// The status as `kubectl explain datasync.status` tells it. operator/status makes it; members of an agent's part
// that a newer operator adds are kept.
#include "operator/api/crd.hpp"

namespace datasync::api {
namespace {

constexpr StatusField kStatus[] = {
    {"observedGeneration", "integer", "The generation of spec that this status is about."},
    {"operator", "string", "The installation of the operator that manages this resource."},
    {"operatorLease", "string", "The Lease of that installation, as NAMESPACE/NAME."},
    {"conditions", "array",
     "Ready: data is replicated. Reconciling: it is not yet, and no manual action is needed. Stalled: manual action is "
     "needed. Complete: mode Once has copied and verified all rows."},
    {"conditions[]", "object", "One condition."},
    {"conditions[].type", "string", "Ready, Reconciling, Stalled or Complete."},
    {"conditions[].status", "string", "True, False or Unknown."},
    {"conditions[].observedGeneration", "integer", "The generation of spec that the condition is about."},
    {"conditions[].lastTransitionTime", "string", "When status changed last."},
    {"conditions[].reason", "string",
     "The reason as one word; docs/reasons.md and docs/operator-reasons.md have the list."},
    {"conditions[].message", "string", "The cause, and what to do."},
    {"startTime", "string", "Mode Once: when the run began."},
    {"completionTime", "string", "Mode Once: when the run completed."},
    {"completion", "string",
     "Mode Once: the record of the completed run. While it is here, or on a Deployment, nothing is copied again."},
    {"source", "string", "The replica in use."},
    {"lag", "string", "The sum of the lags of all stages that are known here."},
    {"rows", "integer", "Rows since the agent began: stored, or captured when there is no destination here. Rounded."},
    {"capture", "object",
     "The capture agent. Figures are rounded and updated once a minute at most; the metrics are exact."},
    {"capture.state", "string",
     "Starting, WaitingForReplica, Snapshotting, Streaming, Retrying, Stalled, Completed, Paused or Unknown."},
    {"capture.reason", "string", "Why it is Retrying or Stalled."},
    {"capture.message", "string", "The cause, and what to do."},
    {"capture.pod", "string", "The pod it runs in."},
    {"capture.endpoint", "string", "The replica in use."},
    {"capture.position", "string", "GTID set that is acknowledged on every stream."},
    {"capture.rows", "integer", "Rows since the process began."},
    {"capture.transactions", "integer", "Transactions since the process began."},
    {"capture.lag", "object", "Lag by stage."},
    {"capture.lag.replica", "string", "The replication lag of the replica."},
    {"capture.lag.capture", "string", "The age of the newest transaction that was read."},
    {"capture.binlogHoursLeft", "number", "Hours until binlogs that are still needed are purged."},
    {"capture.lostPosition", "string",
     "The position whose binlogs no longer exist; annotation datasync.dev/accept-position-lost accepts the loss."},
    {"capture.acceptedPosition", "string", "The lost position that a user has accepted."},
    {"capture.snapshot", "object", "The copy of existing rows."},
    {"capture.snapshot.percent", "integer", "Percentage copied so far."},
    {"capture.snapshot.tables", "integer", "Tables to copy."},
    {"capture.snapshot.tablesDone", "integer", "Tables copied."},
    {"capture.snapshot.table", "string", "The table that is being copied."},
    {"capture.snapshot.remaining", "string", "Time until it is complete, at the current speed."},
    {"apply", "object",
     "The apply agent. Figures are rounded and updated once a minute at most; the metrics are exact."},
    {"apply.state", "string",
     "Starting, WaitingForReplica, Snapshotting, Streaming, Retrying, Stalled, Completed, Paused or Unknown."},
    {"apply.reason", "string", "Why it is Retrying or Stalled."},
    {"apply.message", "string", "The cause, and what to do."},
    {"apply.pod", "string", "The pod it runs in."},
    {"apply.endpoint", "string", "The destination."},
    {"apply.position", "string", "GTID set that is stored, if there is one stream."},
    {"apply.rows", "integer", "Rows since the process began."},
    {"apply.transactions", "integer", "Transactions since the process began."},
    {"apply.lag", "object", "Lag by stage."},
    {"apply.lag.topic", "string", "Time on the topic."},
    {"apply.lag.apply", "string", "Time to execute."},
    {"apply.duplicatesRefused", "integer", "Transactions that the ledger had already; zero in a correct run."},
    {"apply.conflicts", "integer", "Rows resolved by onConflict: Overwrite."},
    {"apply.skippedOffsets", "array", "Offsets that a user has requested to skip and that were skipped."},
    {"apply.skippedOffsets[]", "string", "PARTITION:OFFSET."},
    {"apply.held", "array", "Tables that are held while the others are applied (onTableError: HoldTable)."},
    {"apply.held[]", "object", "One table."},
    {"apply.held[].table", "string", "The destination's table as DATABASE.TABLE."},
    {"apply.held[].reason", "string", "Why it is held, as one word; docs/reasons.md has the list."},
    {"apply.held[].message", "string", "The cause; without values of rows."},
    {"apply.held[].stream", "integer", "The partition of the topic."},
    {"apply.held[].offset", "integer", "Everything of the table before this offset is stored, nothing after it."},
    {"apply.held[].since", "string", "Since when it is held."},
    {"apply.verify", "object", "The comparison of source and destination."},
    {"apply.verify.done", "boolean", "True when every table is compared."},
    {"apply.verify.tables", "integer", "Tables compared."},
    {"apply.verify.different", "array", "Tables that are not equal."},
    {"apply.verify.different[]", "string", "DATABASE.TABLE."},
};

}  // namespace

std::span<const StatusField> status_fields() {
  return kStatus;
}

}  // namespace datasync::api
