#pragma once
// Why a resource is as it is, beside the agents' own reasons (agents/base/reason.hpp): what conditions and events of
// the operator say. docs/operator-reasons.md is made from this list.

#include <array>
#include <cstdint>
#include <string_view>

namespace datasync::decide {

/// Type of an Event.
enum class EventKind : std::uint8_t { Normal, Warning };

/// Where a reason stands: Ready=True; Reconciling=True; Stalled=True; or in an event only.
enum class Shown : std::uint8_t { Ready, Reconciling, Stalled, Paused, Event };

// name, where it stands, its events, what it means and what to do
#define DATASYNC_OPERATOR_REASONS(X)                                                                                   \
  X(Streaming, Ready, Normal, "Data is replicated.")                                                                   \
  X(Snapshotting, Ready, Normal, "Data is replicated, and existing rows are being copied.")                            \
  X(AgentsReady, Ready, Normal,                                                                                        \
    "The agents' pods are ready, but their /status cannot be fetched, so no details are known.")                       \
  X(Completed, Ready, Normal, "Mode Once: all rows are copied and verified; the agents are stopped.")                  \
  X(Paused, Paused, Normal, "spec.paused is true: no agent runs.")                                                     \
  X(Starting, Reconciling, Normal, "The agents are being started or replaced.")                                        \
  X(AgentUnreachable, Reconciling, Warning, "An agent's pod runs, is not ready, and does not answer on /status.")      \
  X(ReplacingLeftover, Reconciling, Normal, "Objects of an earlier resource with this name are being deleted.")        \
  X(CleanupRunning, Reconciling, Normal, "deletionPolicy is Delete: topics and ledger rows are being deleted.")        \
  X(ApiUnavailable, Reconciling, Warning,                                                                              \
    "The API server did not accept a write; the operator tries again. The message has the error.")                     \
  X(AgentGone, Reconciling, Warning,                                                                                   \
    "An agent's pod terminated and is being recreated; the message has the kubelet's message.")                        \
  X(PodPending, Reconciling, Warning, "A pod is pending; the message has the kubelet's message.")                      \
  X(NameTaken, Stalled, Warning,                                                                                       \
    "An object that this resource does not own has the name of a child. Delete that object, or rename the resource.")  \
  X(ImagePullFailed, Stalled, Warning,                                                                                 \
    "The agents' image cannot be pulled. Check the image, its registry and pull secrets.")                             \
  X(ContainerConfigInvalid, Stalled, Warning, "The kubelet cannot create the container; check the podTemplate.")       \
  X(AgentCrashing, Stalled, Warning, "An agent terminates repeatedly; the message has its exit code and last output.") \
  X(OutOfMemory, Stalled, Warning,                                                                                     \
    "An agent was killed because of its memory use. Raise spec.capture/apply.resources.limits.memory.")                \
  X(Unschedulable, Stalled, Warning,                                                                                   \
    "The pod cannot be scheduled to a node; the message has the scheduler's message.")                                 \
  X(PodRefused, Stalled, Warning,                                                                                      \
    "Pods cannot be created (quota, Pod Security, admission); the message has the error.")                             \
  X(RolloutPaused, Stalled, Warning,                                                                                   \
    "An agent's Deployment is paused (kubectl rollout pause), so no pod of the new revision starts. Resume it.")       \
  X(ProgressDeadlineExceeded, Stalled, Warning,                                                                        \
    "An agent's new pod did not become ready within 10 minutes; the message has the last warning about it.")           \
  X(ApplyRefused, Stalled, Warning,                                                                                    \
    "The API server, a quota or an admission rule refuses an object; the message has the error.")                      \
  X(Forbidden, Stalled, Warning, "The operator lacks the RBAC right that the message names.")                          \
  X(InternalError, Stalled, Warning,                                                                                   \
    "A reconcile ended with an error that is a defect of the operator; the agents are not changed. Please report the " \
    "message.")                                                                                                        \
  X(RunAgainNeeded, Stalled, Warning,                                                                                  \
    "Mode Once has completed, and the spec was changed to copy something else. Annotate datasync.dev/run-again to "    \
    "run "                                                                                                             \
    "it again, or take the change back.")                                                                              \
  X(TablesHeld, Stalled, Warning,                                                                                      \
    "Some tables are held, all others continue (onTableError: HoldTable). The message and status.apply.held have the " \
    "reason of each.")                                                                                                 \
  X(CleanupFailed, Stalled, Warning,                                                                                   \
    "The cleanup Job failed. Set deletionPolicy: Retain to delete the resource without the cleanup.")                  \
  X(CleanupGaveUp, Event, Warning,                                                                                     \
    "The cleanup ended without success; delete the remaining topics or ledger rows manually.")                         \
  X(CleanupDone, Event, Normal, "Topics and ledger rows of the resource are deleted.")                                 \
  X(PositionLossAccepted, Event, Warning,                                                                              \
    "A lost position was accepted, as annotated by a user; all tables are copied again.")                              \
  X(OffsetsSkipped, Event, Warning, "Records at the offsets that a user annotated were skipped.")                      \
  X(ManagedElsewhere, Event, Normal,                                                                                   \
    "Another installation of the operator manages this resource; this installation does not change it.")               \
  X(ManagerUnknown, Event, Warning,                                                                                    \
    "Another installation manages this resource, and it is unknown whether it runs; the message says what to do.")     \
  X(CleanupAwaitsOther, Event, Warning,                                                                                \
    "A deleted resource waits for an installation, and it is unknown whether it runs; the message says what to do.")   \
  X(ExtraRefused, Event, Warning,                                                                                      \
    "A NetworkPolicy or PodMonitor cannot be created; the agents run without it. The message has the error.")

struct ReasonInfo {
  std::string_view name;
  Shown shown;
  EventKind event;
  std::string_view text;
};
inline constexpr std::array kReasons{
#define X(name, shown, event, text) ReasonInfo{#name, Shown::shown, EventKind::event, text},
    DATASYNC_OPERATOR_REASONS(X)
#undef X
};

/// The names as constants: reason::Streaming.
namespace reason {
#define X(name, shown, event, text) inline constexpr std::string_view name = #name;
DATASYNC_OPERATOR_REASONS(X)
#undef X
// Reasons that agents have too (agents/base/reason.hpp).
inline constexpr std::string_view ConfigInvalid = "ConfigInvalid";
inline constexpr std::string_view SecretNotFound = "SecretNotFound";
}  // namespace reason

/// Of an event with this reason, an agent's or the operator's: Warning for a failure and for what needs a person. A
/// name that is not known is an agent's of another version, and a Warning.
EventKind event_kind(std::string_view reason);

}  // namespace datasync::decide
