#include "agents/source/mariadb/continuity.hpp"

#include <algorithm>

namespace datasync::source::mariadb {
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
    if (!facts.replicated.domains().contains(domain) && !needed.domains.contains(domain)) out.push_back(domain);
  return out;
}

std::vector<std::uint32_t> local_here(const HistoryFacts& facts, const Needed& needed) {
  std::vector<std::uint32_t> out;
  if (!facts.ever_replicated || !facts.replicates_all_domains || facts.server_id == 0) return out;
  for (const auto& [domain, gtid] : facts.binlog.domains()) {
    const bool known = facts.replicated.domains().contains(domain) || needed.from.domains().contains(domain) ||
                       needed.newest.domains().contains(domain) || needed.domains.contains(domain);
    // A transaction of another server has just arrived, and does not count as replicated yet.
    if (!known && gtid.server == facts.server_id) out.push_back(domain);
  }
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

namespace {

/// A server that has nothing of some domains of the source: these, when it is fit without them.
std::vector<std::uint32_t> lacking(const HistoryFacts& facts, const Needed& needed) {
  std::vector<std::uint32_t> out;
  for (const auto& [domain, gtid] : needed.newest.domains())
    if (needed.domains.contains(domain) && !facts.executed.domains().contains(domain)) out.push_back(domain);
  if (out.empty()) return out;
  auto rest = needed;
  for (const auto domain : out) rest.domains.erase(domain);
  return continuity(facts, rest).fitness == Fitness::Good ? out : std::vector<std::uint32_t>();
}

}  // namespace

Continuity continuity(const HistoryFacts& facts, const Needed& needed) {
  auto rest = facts;
  const auto leave = [&](const std::vector<std::uint32_t>& domains) {
    for (auto* set : {&rest.executed, &rest.binlog, &rest.oldest}) *set = without(*set, domains);
  };
  const auto own = local_here(facts, needed);
  leave(own);
  Continuity out{judge(rest, needed)};
  if (out.fitness == Fitness::Good) {
    out.own = own;
    return out;
  }
  if (const auto local = local_elsewhere(facts, needed); !local.empty()) {
    leave(local);
    out.fitness = judge(rest, {without(needed.from, local), without(needed.newest, local)});
    if (out.fitness == Fitness::Good) {
      out.without = local;
      out.own = own;
      return out;
    }
  }
  if (out.fitness == Fitness::Behind) out.lacking = lacking(facts, needed);
  return out;
}

}  // namespace datasync::source::mariadb
