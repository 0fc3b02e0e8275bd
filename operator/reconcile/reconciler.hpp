#pragma once
// One reconcile of one resource: gather, decide, apply the plan, update the status.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "operator/reconcile/agent_poller.hpp"
#include "operator/reconcile/cache.hpp"
#include "operator/reconcile/condition_metrics.hpp"
#include "operator/reconcile/orphan_finder.hpp"
#include "operator/runtime/controller.hpp"
#include "operator/runtime/events.hpp"
#include "operator/status/status.hpp"

namespace datasync::reconcile {

struct Settings {
  desired::Settings children;
  std::string lease;    ///< "namespace/name" of our own; empty: no leader election
  bool secrets = true;  ///< look whether named secrets are there; false: there is no right to
};

/// What one process remembers of a resource between two looks. Nothing of it is needed to be right: it only saves
/// writes.
struct Memory {
  std::map<std::string, std::string> settled;  ///< decide::Observed::settled
  std::optional<decide::Time> status_written;
  std::optional<decide::Time> deletion_seen;  ///< when this process first saw it deleted
  std::deque<decide::Time> status_writes;     ///< of the last minute
  std::string status_over;                    ///< resourceVersion that the cache showed when status was last written,
  Json status;                                ///< and what was written over it
  std::string reported_elsewhere;             ///< who manages it, as reported last; empty: we
  decide::Time reported_elsewhere_at;
  struct Silent {
    decide::Time since;
    std::optional<decide::Time> asked;  ///< for events
    std::string words;
  };
  std::map<std::string, Silent> silent;  ///< pods that do not start and do not say why, by uid
  std::string reported_unknown;          ///< fields that are not known, as reported last
  std::string reported_extras;           ///< what could not be made beside the agents, as reported last
  unsigned failures = 0;                 ///< in a row, that heal by themselves
  unsigned conflicts = 0;                ///< in a row
};

/// What was seen, and why not all of it was.
struct Gathered {
  decide::Observed seen;
  std::optional<kube::ApiError>
      unreadable;  ///< an object may stand where a child shall stand: nothing may be written there
  std::vector<std::string> missing_kinds;  ///< kinds that are asked for and that the server does not have
};

/// What of a plan could not be done.
struct ApplyResult {
  std::vector<decide::Finding> refused;  ///< with the server's words
  std::optional<kube::ApiError> error;   ///< tried again with back-off
  bool conflict = false;                 ///< something changed meanwhile: look again soon
  std::vector<std::string> extras;       ///< what agents run without, with the server's words
};

/// Of a plan that is not begun because of `error`.
ApplyResult not_done(const kube::ApiError& error);

/// Thread-safe for different keys.
class Reconciler {
 public:
  Reconciler(kube::Api& api, const Cache& cache, OrphanFinder& orphans, AgentPoller& reports,
             runtime::EventRecorder& events, ConditionMetrics& conditions, Settings settings,
             std::function<decide::Time()> now);

  /// An exception ends in the status of this one resource: its Ready does not stay what it was, and its finalizer does
  /// not hold it longer than any other cleanup may.
  runtime::Outcome reconcile(const ObjectKey& key, std::stop_token stop);

 private:
  runtime::Outcome look(const ObjectKey& key, Memory& memory);
  // gather.cpp
  std::optional<Gathered> gather(const ObjectKey& key, Memory& memory);
  std::optional<kube::ApiError> gather_unlabelled(decide::Observed& seen);
  void gather_pods(decide::Observed& seen);
  void gather_rivals(decide::Observed& seen) const;
  void gather_secrets(decide::Observed& seen);
  // gather_words.cpp
  void gather_warnings(decide::Observed& seen, Memory& memory);
  void gather_left(decide::Observed& seen);
  std::string warning_about(const Json& object);
  bool is_refused(const std::string& what, decide::Time now);
  void note_refused(const kube::ApiError& error, const std::string& what, decide::Time now);
  bool namespace_ends(const std::string& ns);
  decide::OtherLease other_lease(const Json& status, const std::string& ns);
  // apply_plan.cpp
  ApplyResult apply_plan(const decide::Observed& seen, const decide::Plan& plan, Memory& memory);
  std::optional<kube::ApiError> still_so(const decide::Observed& seen);
  std::optional<kube::ApiError> claim(const decide::Observed& seen);
  std::optional<kube::ApiError> take_over(const decide::Observed& seen, const decide::TakeOver& what);
  std::optional<kube::ApiError> change_finalizer(const decide::Observed& seen, decide::Finalizer change);
  // update_status.cpp
  runtime::Outcome update_status(const decide::Observed& seen, const decide::Plan& plan, const ApplyResult& done,
                                 Memory& memory);
  runtime::Outcome tell_error(const ObjectKey& key, const std::string& words, Memory& memory);
  kube::ApiResult<kube::Json> write_status(const Json& resource, const Json& status, Memory& memory);
  void tell_elsewhere(const decide::Observed& seen, const decide::Note& note, Memory& memory);
  void record(const Json& resource, const std::vector<decide::Note>& notes);
  void tell_extras(const Json& resource, const std::vector<std::string>& extras, Memory& memory);

  Memory& memory_of(const ObjectKey& key);
  void forget(const ObjectKey& key);

  kube::Api& api_;
  const Cache& cache_;
  OrphanFinder& orphans_;
  AgentPoller& reports_;
  runtime::EventRecorder& events_;
  ConditionMetrics& conditions_;
  Settings settings_;
  std::function<decide::Time()> now_;

  struct OtherLease {
    std::string renewed;
    decide::Time seen;
  };
  std::mutex mutex_;  ///< all below; a Memory itself belongs to the worker that has its key
  std::map<ObjectKey, Memory> memories_;
  std::map<std::string, OtherLease> leases_;
  std::map<std::string, decide::Time> refused_;  ///< "events in NAMESPACE" -> when reading them was last refused
};

/// The kind of a child, or nothing for one that is not known.
std::optional<kube::Resource> kind_of(const Json& object);
std::optional<kube::Resource> kind_of(std::string_view api_version, std::string_view kind);
/// Agents run without a child of this kind: that it may not be read or written stops nothing else.
bool is_optional(const kube::Resource& kind);

}  // namespace datasync::reconcile
