#include "agents/capture/replica/replica_set.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/plan/gtid_order.hpp"
#include "agents/capture/plan/memory.hpp"
#include "agents/capture/replica/server_facts.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr std::chrono::seconds kLacking{20};

Error refuse(Fitness fitness, const std::string& server, const HistoryFacts& history, const Needed& needed) {
  switch (fitness) {
    case Fitness::Behind:
      return {Reason::WaitingForReplica, fmt::format("{} has executed {}, published is {}", server,
                                                     history.executed.text(), needed.newest.text())};
    case Fitness::Purged:
      return {Reason::BinlogPurged, fmt::format("{} has binlogs from {} on, needed is what comes after {}", server,
                                                history.oldest.text(), needed.from.text())};
    default:
      return {Reason::GtidDiverged, fmt::format("{} has executed {}, which is not the history that led to {}; {}",
                                                server, history.executed.text(), needed.newest.text(), kOtherHistory)};
  }
}

}  // namespace

base::Result<sql::ConnectOptions> ReplicaSet::options(const config::HostPort& server) const {
  DS_ASSIGN(auto out, sql::connect_options(sql::Role::Source, server, config_.credentials, config_.tls,
                                           config_.common.secrets_dir));
  out.max_packet = largest_event();
  return out;
}

base::Result<std::unique_ptr<sql::Connection>> ReplicaSet::connect(const std::string& replica) const {
  const auto at = std::ranges::find(config_.replicas, replica, &config::HostPort::text);
  if (at == config_.replicas.end()) return Error(Reason::Internal, "unknown replica " + replica);
  DS_ASSIGN(const auto connect_to, options(*at));
  return sql::Connection::open(connect_to);
}

base::Result<ReplicaSet::Turned> ReplicaSet::inspect(sql::Connection& connection, const std::string& replica,
                                                     const Selection& selection) const {
  DS_ASSIGN(const auto now, gather_condition(connection, config_.allow_primary));
  const PreflightRules rules{config_.allow_primary, config_.allow_cascades, server_id_};
  auto findings = check_settings(now.server, rules, selection);
  check_grants(now.server, false, findings);
  return Turned{verdict(replica, findings), now.replication_lag};
}

bool ReplicaSet::better_than(const std::string& replica, const Selection& selection, const Needed& needed,
                             std::stop_token stop) const {
  for (std::size_t i = 0; i < config_.replicas.size(); ++i) {
    if (stop.stop_requested()) return false;
    if (config_.replicas[i].text() == replica) continue;
    const auto other = examine(i, selection, needed, stop, {});
    if (other && !late(other->replication_lag)) return true;
  }
  return false;
}

base::Result<ChosenReplica> ReplicaSet::examine(std::size_t index, const Selection& selection,
                                                const std::optional<Needed>& needed, std::stop_token stop,
                                                const Progress& progress) const {
  ChosenReplica pick;
  pick.index = index;
  pick.server = config_.replicas[index];
  DS_ASSIGN(const auto connection, connect(pick.server.text()));
  DS_ASSIGN(auto found, gather_server(*connection, config_.allow_primary));
  auto& server = found.server;
  pick.replication_lag = std::move(found.replication_lag);
  const auto rules = this->rules();
  auto findings = check_server(server, rules, selection);
  pick.names = base::TableNames(std::atoi(server.variables["lower_case_table_names"].c_str()));
  DS_ASSIGN(const auto folded, selection.as_on(pick.names));
  if (server.is_mariadb) {
    DS_ASSIGN(pick.tables, gather_tables(*connection, folded, std::move(stop), progress));
    for (auto& t : pick.tables) t.choice = selection.find(t.choice->database, t.choice->table);
    auto judged = pick.tables;
    // A table that was dropped is reported by its DROP, here or before, and the other tables do not wait for it.
    if (needed || begun_)
      std::erase_if(judged, [](const TableFacts& t) { return t.readable && t.problem.empty() && !t.info; });
    for (auto& f : check_tables(judged, folded, rules)) findings.push_back(std::move(f));
  }
  DS_TRY(verdict(pick.server.text(), findings));
  DS_ASSIGN(pick.history, gather_history(*connection));
  if (!needed) return pick;
  auto fitness = judge(pick.history, *needed);
  if (fitness == Fitness::Good) return pick;
  pick.local_elsewhere = local_elsewhere(pick.history, *needed);
  const auto& local = pick.local_elsewhere;
  if (local.empty()) return refuse(fitness, pick.server.text(), pick.history, *needed);
  auto rest = pick.history;
  for (auto* set : {&rest.executed, &rest.binlog, &rest.oldest}) *set = without(*set, local);
  fitness = judge(rest, {without(needed->from, local), without(needed->newest, local)});
  if (fitness != Fitness::Good) return refuse(fitness, pick.server.text(), pick.history, *needed);
  const bool caught_up = pick.replication_lag.replicates && pick.replication_lag.seconds == 0.0;
  if (!long_lacking(index, local, caught_up))
    return Error(
        Reason::WaitingForReplica,
        fmt::format("{} has executed {}, published is {}. If it replicates for {} s more without the domains "
                    "that it lacks, they are taken for writes of another replica of its own",
                    pick.server.text(), pick.history.executed.text(), needed->newest.text(), kLacking.count()));
  return pick;
}

bool ReplicaSet::long_lacking(std::size_t index, const std::vector<std::uint32_t>& domains, bool caught_up) const {
  const std::scoped_lock lock(mutex_);
  const auto now = base::steady_now();
  auto& lacking = lacking_[index];
  if (!caught_up || lacking.domains != domains) lacking = {domains, now};
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
      return refuse(Fitness::Diverged, pick->server.text(), pick->history, *needed);
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
  std::vector<ReplicationLag> replication_lag;
  const auto count = config_.replicas.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (stop.stop_requested()) return Error(Reason::Stopping, "stopped while looking for a replica");
    const auto index = (preferred_ + i) % count;
    auto pick = ask(index, selection, needed, stop);
    if (!pick) {
      refusals.push_back({config_.replicas[index].text(), std::move(pick).error()});
      continue;
    }
    replication_lag.push_back(pick->replication_lag);
    fit.push_back(std::move(*pick));
    if (!late(replication_lag.back())) break;
  }
  if (fit.empty()) {
    dump_refusals_.clear();
    return combine(refusals);
  }
  auto& chosen = fit[choose(replication_lag)];
  preferred_ = chosen.index;
  return std::move(chosen);
}

base::Result<StartPosition> start_position(sql::Connection& connection) {
  // A server rebuilt from a backup has executed transactions that its binlog lacks, also in domains that its binlog
  // does not have at all: without them the position would be before everything in such a domain.
  const auto position = [&]() -> base::Result<message::GtidSet> {
    DS_ASSIGN(const auto executed, gather_executed(connection));
    return executed.all();
  };
  // What is prepared at the second reading was prepared after the first, because nothing is in between; what was
  // prepared before the first and is gone in between was decided before the second.
  StartPosition fresh;
  DS_ASSIGN(fresh.dump_from, position());
  DS_ASSIGN(const auto prepared, connection.query("XA RECOVER"));
  if (!prepared.empty())
    return Error(
        Reason::WaitingForReplica,
        fmt::format("{} XA transactions are prepared; a new stream begins when they are decided", prepared.size()));
  DS_ASSIGN(fresh.position, position());
  if (fresh.dump_from.empty()) return Error(Reason::WaitingForReplica, "the replica's binlog holds no transaction yet");
  return fresh;
}

}  // namespace datasync::capture
