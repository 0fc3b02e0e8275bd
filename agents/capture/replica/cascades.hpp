#pragma once
// Foreign keys that change rows of other tables, which no row event shows, and what they mean for copies.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/plan/snapshot_plan.hpp"
#include "agents/source/source.hpp"

namespace datasync::capture {

/// By qualified name of a captured table: the captured tables whose changes change its rows.
using CascadingParents = std::map<std::string, std::set<std::string>>;

/// Of the tables of `tasks`, as the server has them now; a table itself is not its parent here. Errors: those of the
/// connection.
base::Result<CascadingParents> cascading_parents(source::Server& server, const Selection& selection,
                                                 const std::vector<SnapshotTask>& tasks);

/// Puts every table behind its parents. A reader does to children what the source did only where it has the parent's
/// row, so children are copied when their parents are complete. Tables that are each other's parents keep their order.
void parents_first(std::vector<SnapshotTask>& tasks, const CascadingParents& parents);

}  // namespace datasync::capture
