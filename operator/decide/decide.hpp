#pragma once
// What is to be done, given what was seen. Pure: no client, no clock, no log. Everything is derived from what is there,
// nothing from what was done before, so that an operator which died after any write goes on where it stood.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/read.hpp"
#include "operator/decide/agent_view.hpp"
#include "operator/decide/reasons.hpp"
#include "operator/desired/manifests.hpp"
#include "operator/desired/names.hpp"

namespace datasync::decide {

using desired::Json;
using Time = std::chrono::sys_seconds;
using Millis = std::chrono::milliseconds;

/// What an agent's pod answered on /status, or why it did not.
struct Report {
  std::string pod;
  std::optional<AgentView> view;
  std::string error;
};

enum class Level : std::uint8_t { Waiting, Stalled };
/// Something that keeps a resource from being ready.
struct Finding {
  Level level = Level::Waiting;
  std::string reason;
  std::string message;
  bool operator==(const Finding&) const = default;
};

/// What is known of the Lease of the installation that status names.
enum class OtherLease : std::uint8_t {
  Dead,     ///< gone or not renewed; also when status names nobody else
  Unknown,  ///< status names none, or there is no right to read it
  Fresh,    ///< also while the server does not answer
};

/// Another resource with a source that names the same brokers and topic.
struct TopicConflict {
  std::string id;       ///< "namespace/name"
  std::string created;  ///< its creationTimestamp
  bool runs = false;    ///< its capture Deployment writes into that topic
  bool goes = false;    ///< it is being deleted
};

/// Everything about one resource, as it was seen.
struct Observed {
  Json resource;                           ///< as the server gave it
  api::Document document;                  ///< read from it, without its status
  std::vector<Json> children;              ///< objects of our labels or of a wanted name, each with apiVersion and kind
  std::vector<Json> pods;                  ///< of the agents (`is_agents_pod`)
  std::string cleanup_words;               ///< with which the cleanup's last pod ended
  std::optional<Finding> cleanup_trouble;  ///< why the cleanup's newest pod does not run
  /// ReplicaSets that may still make an agent's pod, as the server lists them; only before a cleanup begins.
  std::vector<std::string> replica_sets;
  std::optional<Finding> pods_unknown;  ///< why `pods` may not be all there are
  /// The last warning about a pod or Job whose status says nothing, by its uid.
  std::map<std::string, std::string> warnings;
  std::map<std::string, Report> reports;  ///< by agent
  /// The keys of the named secrets that exist; nothing: the operator may not look.
  std::optional<std::map<std::string, std::set<std::string>>> secrets;
  /// Marks of children (`mark_of`) that held everything wanted, by uid, from this process's own writes.
  std::map<std::string, std::string> settled;
  desired::Settings settings;
  bool namespace_ends = false;  ///< it is being deleted: nothing new can be made in it
  OtherLease other_lease = OtherLease::Dead;
  std::vector<TopicConflict> topic_conflicts;
  Time now;
};

/// An event beside those that a change of the Ready condition's reason gives; `event_kind(reason)` is its type.
struct Note {
  std::string reason;
  std::string message;
  bool operator==(const Note&) const = default;
};

struct Delete {
  std::string api_version, kind, name, uid;
  bool operator==(const Delete&) const = default;
};

enum class Finalizer : std::uint8_t { Leave, Add, Remove };

/// An object whose fields belong to a manager name of an earlier version.
struct TakeOver {
  std::string api_version, kind, name, uid;
  bool operator==(const TakeOver&) const = default;
};

/// A `mode: Once` that has completed.
struct Completion {
  std::string at;      ///< as in "2026-01-31T12:00:00Z"
  std::string copies;  ///< changes with what the spec copies; empty: not known
  std::string run;     ///< changes with the declared act that asked for the run; empty: none did
  /// As it is stored.
  [[nodiscard]] std::string text() const;
};

struct Once {
  bool on = false;                 ///< mode is Once
  std::optional<Completion> done;  ///< nothing: it runs
  bool changed = false;            ///< the spec says to copy something else than was copied
  std::string former_at;           ///< when the run before this one completed; empty: there was none
};

struct Plan {
  bool elsewhere = false;  ///< another installation's: nothing is done, only the notes are told
  bool claim = false;      ///< write our name into status before anything else
  Finalizer finalizer = Finalizer::Leave;
  bool gone = false;                 ///< it is being deleted: no status any more
  std::vector<TakeOver> take_overs;  ///< before the rest
  std::vector<Delete> deletes;       ///< before the applies
  std::vector<Json> applies;  ///< in this order; with the uid of the object that is there, or none to be made new
  std::vector<Finding> findings;
  std::vector<Note> notes;
  Once once;
  std::optional<Millis> requeue_after;
};

Plan decide(const Observed& seen);

/// Of an object as the server stored it after a write of `wanted`: changes when another client may have changed what is
/// wanted of it (its generation, or its resourceVersion where it has none; its labels and our hash, which have no
/// generation), and when something else is wanted.
std::string mark_of(const Json& object, const Json& wanted);
/// Seconds since the resource was deleted.
std::chrono::seconds age_of_deletion(const Observed& seen);
/// It is being deleted, and our finalizer holds it.
bool is_held(const Json& resource);
/// Owned by this very resource.
bool is_ours(const Json& object, std::string_view uid);
desired::Owner owner_of(const Json& resource);
/// `wanted` as a write over exactly this object, not over another that came in its place.
Json over(const Json& live, Json wanted);
/// True when the child needs a write to become what is wanted: also for the removal of fields that belong to a manager
/// name of an earlier version.
bool needs_write(const Json& live, const Json& wanted, const std::map<std::string, std::string>& settled);

}  // namespace datasync::decide
