#include "agents/capture/replica/replica_set.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using source::Fitness;
using source::HistoryFacts;
using source::Needed;

constexpr std::chrono::seconds kLacking{20};

Error refuse(const source::Continuity& judged, const std::string& server, const HistoryFacts& history,
             const Needed& needed, std::string_view fix) {
  switch (judged.fitness) {
    case Fitness::Behind:
      if (!judged.lacking.empty())
        return {Reason::WaitingForReplica,
                fmt::format("{} has executed {}, published is {}: it has nothing of the GTID domains {}, which another "
                            "replica has replicated from the source. Let it replicate them, or start a replica that "
                            "has them; if they were removed from the source for good, accept the loss of the published "
                            "position (acceptPositionLost), and all tables are copied again",
                            server, history.executed.text(), needed.newest.text(), fmt::join(judged.lacking, ", "))};
      return {Reason::WaitingForReplica, fmt::format("{} has executed {}, published is {}", server,
                                                     history.executed.text(), needed.newest.text())};
    case Fitness::Purged:
      return {Reason::BinlogPurged, fmt::format("{} has binlogs from {} on, needed is what comes after {}", server,
                                                history.oldest.text(), needed.from.text())};
    default:
      return {Reason::GtidDiverged, fmt::format("{} has executed {}, which is not the history that led to {}; {}",
                                                server, history.executed.text(), needed.newest.text(), fix)};
  }
}

/// Of all tables of the selection. A stop ends the connection. Errors: Stopping; those of the server.
base::Result<std::vector<TableFacts>> check_tables(source::Server& server, const source::Rules& rules,
                                                   const Selection& selection, std::stop_token stop,
                                                   const Progress& progress) {
  std::vector<TableFacts> out;
  const std::stop_callback wake(stop, [&] { server.abort(); });
  for (const auto& choice : selection.tables()) {
    if (stop.stop_requested()) return Error(Reason::Stopping, "stopped while the tables are checked");
    if (progress) progress(out.size(), selection.tables().size());
    auto facts = server.check_table(choice, rules, selection);
    if (!facts && stop.stop_requested()) continue;
    if (!facts) return std::move(facts).error();
    out.push_back(std::move(*facts));
  }
  return out;
}

}  // namespace

base::Result<std::unique_ptr<source::Server>> ReplicaSet::connect(const std::string& replica) const {
  const auto at = std::ranges::find(config_.replicas, replica, &config::HostPort::text);
  if (at == config_.replicas.end()) return Error(Reason::Internal, "unknown replica " + replica);
  return engine_.connect(*at);
}

base::Result<ReplicaSet::Inspection> ReplicaSet::inspect(source::Server& server, const std::string& replica,
                                                         const Selection& selection) const {
  DS_ASSIGN(auto now, server.condition(rules(), selection));
  domains_.replicated(now.replicated);
  return Inspection{verdict(replica, now.findings), std::move(now.lag), std::move(now.replicated)};
}

std::vector<std::uint32_t> ReplicaSet::lacking() const {
  const std::scoped_lock lock(mutex_);
  std::set<std::uint32_t> out;
  for (const auto& [index, domains] : lacking_domains_) out.insert(domains.begin(), domains.end());
  return {out.begin(), out.end()};
}

bool ReplicaSet::better_than(const std::string& replica, const Selection& selection, const Needed& needed,
                             std::stop_token stop) const {
  for (std::size_t i = 0; i < config_.replicas.size(); ++i) {
    if (stop.stop_requested()) return false;
    if (config_.replicas[i].text() == replica) continue;
    const auto other = examine(i, selection, needed, stop, {});
    if (other && !late(other->lag)) return true;
  }
  return false;
}

base::Result<ChosenReplica> ReplicaSet::examine(std::size_t index, const Selection& selection,
                                                const std::optional<Needed>& needed, std::stop_token stop,
                                                const Progress& progress) const {
  ChosenReplica pick;
  pick.index = index;
  pick.server = config_.replicas[index];
  DS_ASSIGN(const auto server, connect(pick.server.text()));
  const auto rules = this->rules();
  DS_ASSIGN(auto examined, server->examine(rules, selection));
  auto& findings = examined.findings;
  pick.lag = std::move(examined.lag);
  domains_.replicated(examined.replicated);  // also of a candidate that cannot be read
  pick.names = examined.names;
  DS_ASSIGN(const auto folded, selection.as_on(pick.names));
  if (examined.supported) {
    DS_ASSIGN(pick.tables, check_tables(*server, rules, folded, std::move(stop), progress));
    for (auto& t : pick.tables) {
      t.choice = selection.find(t.choice->database, t.choice->table);
      // A table that was dropped is reported by its DROP, here or before, and the other tables do not wait for it.
      if (!t.exists && (needed || begun_)) continue;
      std::ranges::copy(t.findings, std::back_inserter(findings));
    }
  }
  DS_TRY(verdict(pick.server.text(), findings));
  DS_ASSIGN(pick.history, server->history_facts());
  domains_.replicated(pick.history.replicated);
  if (!needed) return pick;
  auto judged = engine_.judge(pick.history, {needed->from, needed->newest, domains_.required()});
  {
    const std::scoped_lock lock(mutex_);
    lacking_domains_[index] = judged.lacking;
  }
  if (judged.fitness != Fitness::Good)
    return refuse(judged, pick.server.text(), pick.history, *needed, engine_.fix_of_other_history());
  pick.own = std::move(judged.own);
  if (judged.without.empty()) return pick;
  pick.without = std::move(judged.without);
  const bool caught_up = pick.lag.replicates && pick.lag.seconds == 0.0;
  if (!long_lacking(index, pick.without, caught_up))
    return Error(
        Reason::WaitingForReplica,
        fmt::format("{} has executed {}, published is {}. If it replicates for {} s more without the domains "
                    "that it lacks, they are taken for writes of another replica of its own",
                    pick.server.text(), pick.history.executed.text(), needed->newest.text(), kLacking.count()));
  return pick;
}

bool ReplicaSet::long_lacking(std::size_t index, const std::vector<std::uint32_t>& without, bool caught_up) const {
  const std::scoped_lock lock(mutex_);
  const auto now = base::steady_now();
  auto& lacking = lacking_[index];
  if (!caught_up || lacking.without != without) lacking = {without, now};
  return caught_up && now - lacking.since >= kLacking;
}

base::Result<ChosenReplica> ReplicaSet::ask(std::size_t index, const Selection& selection,
                                            const std::optional<Needed>& needed, std::stop_token stop) {
  const auto refused = dump_refusals_.find(index);
  if (needed && refused != dump_refusals_.end() && refused->second.from == needed->from) return refused->second.error;
  auto pick = examine(index, selection, needed, std::move(stop), progress_);
  if (!needed) return pick;
  if (!pick && pick.error().is(Reason::GtidDiverged)) {
    diverged_.insert_or_assign(index, needed->newest);
  } else if (pick) {
    const auto before = diverged_.find(index);
    if (before != diverged_.end() && before->second == needed->newest && !pick->history.ever_replicated)
      return refuse({Fitness::Diverged}, pick->server.text(), pick->history, *needed, engine_.fix_of_other_history());
    diverged_.erase(index);
  }
  return pick;
}

void ReplicaSet::dump_refused(std::size_t index, message::GtidSet from, base::Error error) {
  dump_refusals_.insert_or_assign(index, DumpRefusal{std::move(from), std::move(error)});
  prefer_after(index);
}

base::Result<ChosenReplica> ReplicaSet::pick(const Selection& selection, const std::optional<Needed>& needed,
                                             std::stop_token stop) {
  std::vector<Refusal> refusals;
  std::vector<ChosenReplica> fit;
  std::vector<source::ReplicationLag> lags;
  const auto count = config_.replicas.size();
  {
    const std::scoped_lock lock(mutex_);
    lacking_domains_.clear();
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (stop.stop_requested()) return Error(Reason::Stopping, "stopped while looking for a replica");
    const auto index = (preferred_ + i) % count;
    auto pick = ask(index, selection, needed, stop);
    if (!pick) {
      refusals.push_back({config_.replicas[index].text(), std::move(pick).error()});
      continue;
    }
    lags.push_back(pick->lag);
    fit.push_back(std::move(*pick));
    if (!late(lags.back())) break;
  }
  if (fit.empty()) {
    dump_refusals_.clear();
    return combine(refusals);
  }
  auto& chosen = fit[choose(lags)];
  preferred_ = chosen.index;
  return std::move(chosen);
}

}  // namespace datasync::capture
