#pragma once
// Which of several replicas to read, and what to say when none can be. Pure.

#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/source/history.hpp"

namespace datasync::capture {

/// Replicas of one primary are some seconds apart at any time; that is no difference.
inline constexpr double kLateSeconds = 60;
/// Unknown is not late.
bool late(const source::ReplicationLag& lag) noexcept;
/// Which of the fit candidates, in their order, to read: the first that is not late, else the least late one.
std::size_t choose(const std::vector<source::ReplicationLag>& fit) noexcept;

/// Why one candidate was not taken.
struct Refusal {
  std::string server;
  base::Error error;
};

/// One error for all refusals: waiting comes first, then what a person must mend, then what heals by
/// itself, and last a lost position: only when all have lost it.
base::Error combine(const std::vector<Refusal>& refusals);

}  // namespace datasync::capture
