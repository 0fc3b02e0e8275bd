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
  X(Streaming, Ready, Normal, "Data flows.")                                                                           \
  X(Snapshotting, Ready, Normal, "Data flows, and the rows from before are being copied.")                             \
  X(AgentsReady, Ready, Normal, "The agents' pods are ready; their /status cannot be fetched, so no more is known.")   \
  X(Completed, Ready, Normal, "Mode Once: everything is copied and verified.")                                         \
  X(Paused, Paused, Normal, "spec.paused is set: no agent runs.")                                                      \
  X(Starting, Reconciling, Normal, "The agents are being started or replaced.")                                        \
  X(AgentUnreachable, Reconciling, Warning, "An agent's pod runs, is not ready, and does not answer on /status.")      \
  X(ReplacingLeftover, Reconciling, Normal, "Objects of a former resource of this name are being deleted.")            \
  X(CleanupRunning, Reconciling, Normal, "deletionPolicy is Delete: topics and ledger rows are being deleted.")        \
  X(ApiUnavailable, Reconciling, Warning,                                                                              \
    "The API server did not take a write; it is tried again. The message has its words.")                              \
  X(AgentGone, Reconciling, Warning, "An agent's pod ended and is made anew; the message has the kubelet's words.")    \
  X(PodPending, Reconciling, Warning, "A pod waits; the message has the kubelet's words.")                             \
  X(NameTaken, Stalled, Warning,                                                                                       \
    "An object that is not ours has the name of a child. Delete it, or rename the resource.")                          \
  X(ImagePullFailed, Stalled, Warning,                                                                                 \
    "The agents' image cannot be pulled. Check the image, its registry and pull secrets.")                             \
  X(ContainerConfigInvalid, Stalled, Warning, "The kubelet cannot make the container; check the podTemplate.")         \
  X(AgentCrashing, Stalled, Warning, "An agent ends again and again; the message has its last words.")                 \
  X(OutOfMemory, Stalled, Warning,                                                                                     \
    "An agent was killed for its memory. Raise spec.capture/apply.resources.limits.memory.")                           \
  X(Unschedulable, Stalled, Warning, "No node takes the pod; the message has the scheduler's words.")                  \
  X(PodRefused, Stalled, Warning, "Pods cannot be made (quota, Pod Security, admission); the message has the words.")  \
  X(ApplyRefused, Stalled, Warning,                                                                                    \
    "The API server, a quota or an admission rule refuses an object; the message has why.")                            \
  X(Forbidden, Stalled, Warning, "The operator lacks the RBAC right that the message names.")                          \
  X(TablesHeld, Stalled, Warning,                                                                                      \
    "Tables wait, all others continue (onTableError: HoldTable). The message and status.apply.held have each one's "      \
    "reason.")                                                                                                         \
  X(CleanupFailed, Stalled, Warning,                                                                                   \
    "The cleanup Job failed. Set deletionPolicy: Retain to let the resource go without it.")                           \
  X(CleanupGaveUp, Event, Warning, "The cleanup was given up; topics or ledger rows are left for a person to delete.") \
  X(CleanupDone, Event, Normal, "Topics and ledger rows of the resource are deleted.")                                 \
  X(PositionLossAccepted, Event, Warning, "As annotated by a person, a lost position was given up; a new copy runs.")  \
  X(OffsetsSkipped, Event, Warning, "As annotated by a person, records at the named offsets were skipped.")            \
  X(ManagedElsewhere, Event, Normal, "Another installation of the operator manages this resource; it is left alone.")  \
  X(ManagerUnknown, Event, Warning,                                                                                    \
    "Another installation manages this resource, and nobody can tell whether it lives; the message has the way out.")  \
  X(CleanupAwaitsOther, Event, Warning,                                                                                \
    "A deleted resource waits for an installation of which nobody can tell whether it lives; the message says more.")  \
  X(ExtraRefused, Event, Warning,                                                                                      \
    "A NetworkPolicy or PodMonitor cannot be made; the agents run without it. The message has why.")

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
