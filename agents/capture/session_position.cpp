// The part of a session that finds a replica with the position, and gives the position up where that is declared.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "agents/capture/plan/before_start.hpp"
#include "agents/capture/session.hpp"
#include "agents/kafka/logs.hpp"

namespace datasync::capture {

using base::Error;
using base::Reason;

/// What streams that begin at the position must know of transactions before it.
base::Result<void> Session::find_before_start(const ChosenReplica& pick, const message::GtidSet& position) {
  auto options = stream_options(pick.server.text());
  options.position = position;
  DS_ASSIGN(auto found, around_.replicas.engine().before_start(pick.server, options, stop_.get_token(),
                                                               [this] { around_.status.beat(); }));
  for (auto& text : found)
    if (std::ranges::find(before_start_, text) == before_start_.end()) before_start_.push_back(std::move(text));
  return {};
}

/// Before the stream's beginning is written: a later epoch must know them.
base::Result<void> Session::keep_before_start() {
  for (const auto& text : before_start_) {
    message::Request kept;
    kept.id = before_start_id(text);
    kept.from = around_.config.common.name;
    if (!keeper_->is_served(kept.id)) DS_TRY(keeper_->served(kept, stop_.get_token()));
  }
  return {};
}

/// Which domains are the source's is known before anything of them is on a stream, so that no later failover takes them
/// for another replica's own.
base::Result<void> Session::keep_facts(const std::vector<std::string>& facts) {
  for (const auto& id : facts) {
    message::Request kept;
    kept.id = id;
    kept.from = around_.config.common.name;
    if (!keeper_->is_served(id)) DS_TRY(keeper_->served(kept, stop_.get_token()));
  }
  return {};
}

namespace {

/// Whoever writes to a primary is the source.
bool is_primary(const ChosenReplica& pick) {
  return pick.lag.replicates && !pick.lag.has_primary;
}

}  // namespace

/// A transaction begins. What another server wrote has come by replication.
base::Result<void> Session::on_gtid(const ChosenReplica& pick, const message::Gtid& gtid) {
  const auto own = pick.history.server_id;
  if (own == 0 || (gtid.server == own && !is_primary(pick))) return {};
  if (!kept_domains_.insert(gtid.domain).second) return {};
  around_.replicas.domains().replicated(gtid.domain);
  if (catalog_ != nullptr) catalog_->replicates(gtid.domain);
  return keep_facts(around_.replicas.domains().facts());
}

/// A user accepted that this replica lacks domains of the source, or such a domain is there again: rows of every table
/// may differ, and no record says of which. What is left out without being accepted is kept as well.
base::Result<void> Session::settle_domains(const ChosenReplica& pick) {
  auto& domains = around_.replicas.domains();
  // Kept now: the rows of a known domain do not wait for a state topic that refuses writes later.
  if (is_primary(pick))
    for (const auto& [domain, last] : pick.history.executed.domains()) domains.replicated(domain);
  DS_TRY(keep_facts(domains.facts()));
  const auto change = domains.change(pick.without);
  if (change.copies) {
    base::log::warn("all tables are copied again: the replica has other GTID domains than the one before it",
                    {{"replica", pick.server.text()}, {"without", fmt::format("{}", fmt::join(pick.without, ", "))}});
    DS_ASSIGN(known_, keeper_->revise(selection_, everything(selection_), stop_.get_token()));
    for (const auto& table : selection_.tables()) outdated_.insert(table.qualified());
  }
  DS_TRY(keep_facts(change.facts));
  domains.begun(change);
  return {};
}

/// onPositionLost: Resnapshot. What lies between the old position and the new one comes as a snapshot that replaces the
/// tables.
base::Result<void> Session::give_up_position() {
  DS_ASSIGN(const auto pick, around_.replicas.pick(selection_, std::nullopt, stop_.get_token()));
  DS_ASSIGN(const auto server, around_.replicas.connect(pick.server.text()));
  DS_ASSIGN(const auto position, server->start_position());
  // Readers refuse transactions that they have: rows read from before them would never be brought up to date.
  if (!position.dump_from.contains(writer_->newest())) {
    around_.replicas.prefer_after(pick.index);
    return Error(Reason::WaitingForReplica, fmt::format("{} has executed {}, published is {}", pick.server.text(),
                                                        position.dump_from.text(), writer_->newest().text()));
  }
  base::log::warn("the position is lost; as declared, everything is read again",
                  {{"position", writer_->position().text()}, {"begins", position.position.text()}});
  DS_TRY(find_before_start(pick, position.dump_from));
  DS_TRY(keep_before_start());
  // Before the new position: who starts after a crash in between would find it and not know what was missed.
  DS_ASSIGN(known_, keeper_->revise(selection_, everything(selection_), stop_.get_token()));
  drop_runner();
  prepared_.clear();
  due_.clear();
  writer_->reset_position(position.dump_from, position.position);
  DS_TRY(writer_->watermark(0));
  plan();
  return {};
}

/// What is read again before what is published is there for the rows of XA transactions alone, and a commit whose rows
/// were not seen is never taken: PositionUnknown. So binlogs that are purged before what is published are not missed.
std::optional<ChosenReplica> Session::after_published(const source::Needed& needed) {
  const auto all = published();
  if (!all.contains(needed.from) || needed.from.contains(all)) return std::nullopt;
  auto pick = around_.replicas.pick(selection_, source::Needed{all, needed.newest}, stop_.get_token());
  if (!pick) return std::nullopt;
  base::log::warn("binlogs before what is published are purged; reading what comes after it",
                  {{"position", needed.from.text()}, {"published", all.text()}});
  writer_->reset_position(all, {});
  return std::move(*pick);
}

/// The streams have no record before those of this epoch, which begin at these offsets (0: not known).
bool Session::former_are_gone(const std::vector<protocol::Offset>& begins) const {
  const auto log = kafka::open_stream_log(claimed_.access, around_.config.common.channel.topic);
  if (!log) return false;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto ends = (*log)->ends(static_cast<std::int32_t>(i));
    if (!ends || begins[i] <= 0 || ends->first < begins[i]) return false;
  }
  return true;
}

base::Result<ChosenReplica> Session::find_replica() {
  for (int tries = 0;; ++tries) {
    const source::Needed needed{writer_->position(), writer_->newest()};
    auto pick = around_.replicas.pick(selection_, needed, stop_.get_token());
    if (!pick && pick.error().is(Reason::BinlogPurged))
      if (auto later = after_published(needed)) return std::move(*later);
    if (!pick && pick.error().is(Reason::WaitingForReplica))
      if (const auto lacking = around_.replicas.lacking(); !lacking.empty() && around_.loss.accepts(published())) {
        around_.replicas.domains().accept(lacking);
        return pick;
      }
    const bool give_up = !pick && position_lost(pick.error()) && tries == 0 && around_.loss.may_give_up(published());
    if (!give_up) return pick;
    DS_TRY(give_up_position());
  }
}

}  // namespace datasync::capture
