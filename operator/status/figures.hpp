#pragma once
// An agent's figures as status shows them: rounded, so that a status is not written for every row. Exact figures are
// metrics.

#include <cstdint>
#include <string>

#include "operator/decide/agent_view.hpp"
#include "operator/desired/names.hpp"

namespace datasync::status {

using desired::Json;

/// "<1s", "7s", "25s", "3m", "5h", "12d".
std::string duration_text(double seconds);
/// Three significant digits, rounded down.
std::uint64_t rounded(std::uint64_t count);

/// The section of one agent.
Json agent_section(const decide::AgentView& view);

/// `status` without what changes all the time: what is left has to be written at once when it changed.
Json without_figures(Json status);

}  // namespace datasync::status
