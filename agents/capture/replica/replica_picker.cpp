#include "agents/capture/replica/replica_picker.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace datasync::capture {
namespace {

using base::Reason;

/// Smaller is told first. A lost position comes last: it is lost only when no replica is left that may still have it,
/// and `onPositionLost` must not act while one of them merely reboots.
int rank(const base::Error& e) noexcept {
  if (e.is(Reason::Stopping)) return 0;
  if (e.is(Reason::WaitingForReplica)) return 1;
  if (e.is(Reason::BinlogPurged)) return 30;
  if (e.is(Reason::GtidDiverged)) return 31;
  return e.outcome() == base::Outcome::Halt ? 10 : 20;
}

}  // namespace

bool late(const source::ReplicationLag& replication_lag) noexcept {
  return !replication_lag.replicates || replication_lag.seconds.value_or(0) > kLateSeconds;
}

std::size_t choose(const std::vector<source::ReplicationLag>& fit) noexcept {
  const auto standing = std::numeric_limits<double>::infinity();
  const auto rank_of = [&](const source::ReplicationLag& l) {
    if (!late(l)) return 0.0;
    return l.replicates ? *l.seconds : standing;
  };
  return static_cast<std::size_t>(std::ranges::min_element(fit, {}, rank_of) - fit.begin());
}

base::Error combine(const std::vector<Refusal>& refusals) {
  const auto first = std::ranges::min_element(refusals, {}, [](const Refusal& r) { return rank(r.error); });
  if (first == refusals.end()) return {Reason::ConfigInvalid, "no replica is named"};
  auto text = first->error.what;
  for (const auto& r : refusals)
    if (&r != &*first) text += fmt::format("; {}", r.error.what);
  return {first->error.reason, text};
}

}  // namespace datasync::capture
