#pragma once
// Parts of a status.

#include <vector>

#include "operator/decide/decide.hpp"
#include "operator/status/status.hpp"

namespace datasync::status {

/// The status that the resource has; an empty object when it has none.
const Json& old_status(const decide::Observed& seen);
/// Keeps the figures that the agents of a completed run reported last; they do not run any more.
void keep_last_figures(const decide::Observed& seen, Json& out);
/// Adds the times and the completion of a run of mode Once.
void put_run(const decide::Observed& seen, const decide::Once& once, Json& out);
/// Adds the section of each agent, the source's rows and the lag.
void put_agents(const decide::Observed& seen, Json& out);
/// Adds an event for each consent of a user that was used since the status before.
void note_uses(const Json& before, const Json& now, std::vector<Note>& events);

}  // namespace datasync::status
