#pragma once
// The status object of a resource, by kstatus rules: Ready means that data flows, Reconciling that it will by itself,
// Stalled that a person is needed. Pure.

#include <chrono>
#include <optional>
#include <vector>

#include "operator/decide/decide.hpp"
#include "operator/desired/names.hpp"

namespace datasync::status {

using decide::Finding;
using decide::Note;
using desired::Json;
using Time = std::chrono::sys_seconds;

struct StatusUpdate {
  Json status;               ///< whole; written by server-side apply
  std::vector<Note> events;  ///< one when Ready's reason changed, and what the agents note once; not the plan's
};

/// `failures` are what the API server refused while the plan was carried out. `lease` is the "namespace/name" of the
/// Lease of this installation.
StatusUpdate build_status(const decide::Observed& seen, const decide::Plan& plan, const std::vector<Finding>& failures,
                          const std::string& lease);

/// The status when a reconcile ended with an error of our own. It needs nothing but the resource as the server gave it:
/// the conditions say that it failed, and what was known of the agents stays.
StatusUpdate tell_internal_error(const Json& resource, const std::string& words, const std::string& installation,
                                 const std::string& lease, Time now);

/// An agent of a resource that was ready has only now been asked, as after a start of the operator: its answer comes in
/// a moment, and what was told stays until then.
bool too_early(const decide::Observed& seen);

/// Figures alone are written this seldom.
inline constexpr std::chrono::seconds kFiguresEvery{60};

/// Now, never, or when the figures may be written again.
struct Due {
  bool now = false;
  std::optional<decide::Millis> later;
};
/// `last` is when this process last wrote the status of this resource.
Due due(const Json& old_status, const Json& new_status, std::optional<decide::Time> last, decide::Time now);

}  // namespace datasync::status
