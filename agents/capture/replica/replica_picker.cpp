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

namespace {

std::uint64_t sequence(const message::GtidSet& set, std::uint32_t domain) {
  const auto at = set.domains().find(domain);
  return at == set.domains().end() ? 0 : at->second.sequence;
}

}  // namespace

Fitness judge(const HistoryFacts& facts, const Needed& needed) {
  for (const auto& [domain, gtid] : needed.newest.domains()) {
    const auto at = facts.executed.domains().find(domain);
    const bool has = at != facts.executed.domains().end() && at->second.sequence >= gtid.sequence;
    if (!has) return facts.ever_replicated ? Fitness::Behind : Fitness::Diverged;
    // The same number written by another server: two histories of one domain.
    if (at->second.sequence == gtid.sequence && at->second.server != gtid.server) return Fitness::Diverged;
  }
  if (!needed.from.contains(facts.oldest)) return Fitness::Purged;
  // After RESET MASTER, and on a server made from a backup, the first binlog has nothing before it either, but what was
  // replicated up to then is in no binlog.
  for (const auto& [domain, gtid] : facts.replicated.domains()) {
    const auto from = sequence(needed.from, domain);
    if (gtid.sequence > from && sequence(facts.binlog, domain) < from) return Fitness::Purged;
    if (from == 0 && sequence(facts.binlog, domain) == 0) return Fitness::Purged;
  }
  return Fitness::Good;
}

std::vector<std::uint32_t> local_elsewhere(const HistoryFacts& facts, const Needed& needed) {
  std::vector<std::uint32_t> out;
  if (!facts.ever_replicated) return out;
  for (const auto& [domain, gtid] : needed.newest.domains())
    if (!facts.replicated.domains().contains(domain)) out.push_back(domain);
  return out;
}

message::GtidSet without(const message::GtidSet& set, const std::vector<std::uint32_t>& domains) {
  message::GtidSet out;
  for (const auto& [domain, gtid] : set.domains())
    if (std::ranges::find(domains, domain) == domains.end()) out.add(gtid);
  return out;
}

message::GtidSet dump_position_at(const HistoryFacts& facts, const message::GtidSet& position,
                                  const std::vector<std::uint32_t>& local) {
  auto out = without(position, local);
  for (const auto& [domain, gtid] : facts.binlog.domains())
    if (std::ranges::find(local, domain) != local.end()) out.add(gtid);
  return out;
}

bool late(const ReplicationLag& replication_lag) noexcept {
  return !replication_lag.replicates || replication_lag.seconds.value_or(0) > kLateSeconds;
}

std::size_t choose(const std::vector<ReplicationLag>& fit) noexcept {
  const auto standing = std::numeric_limits<double>::infinity();
  const auto rank_of = [&](const ReplicationLag& l) {
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
