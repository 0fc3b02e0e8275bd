// The part of a session that serves requests: a user, or a reader whose rows differ, needs tables copied again.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "agents/capture/requests.hpp"
#include "agents/capture/session.hpp"

namespace datasync::capture {
namespace {

/// A table that the server has, whether or not all of its definition can be carried.
base::Result<bool> is_there(source::Server& server, const TableChoice& table) {
  const auto info = server.table(table.database, table.table, {});
  if (info) return info->has_value();
  if (info.error().outcome() == base::Outcome::Halt) return true;
  return info.error();
}

/// With cascading foreign keys the rows of a child change by changes of its parent alone, which readers leave out until
/// the parent's copy begins: children are copied as well, and theirs.
base::Result<void> add_children(source::Server& server, const Selection& selection,
                                std::vector<const TableChoice*>& tables) {
  for (bool added = true; std::exchange(added, false);) {
    for (const auto& child : selection.tables()) {
      if (std::ranges::find(tables, &child) != tables.end()) continue;
      const auto info = server.table(child.database, child.table, {});
      if (!info && info.error().outcome() != base::Outcome::Halt) return info.error();
      const bool depends =
          info && *info && std::ranges::any_of((*info)->foreign_keys, [&](const auto& key) {
            return std::ranges::find(tables, selection.find(key.parent_database, key.parent_table)) != tables.end();
          });
      if (!depends) continue;
      tables.push_back(&child);
      added = true;
    }
  }
  return {};
}

}  // namespace

/// A table that is to be copied again, and with it those whose rows depend on its rows.
base::Result<std::vector<Outdated>> Session::with_children(const Outdated& table) {
  std::vector<Outdated> out{table};
  if (!around_.config.allow_cascades) return out;
  std::vector<const TableChoice*> tables;
  for (const auto& choice : selection_.tables())
    if (choice.qualified() == table.table) tables.push_back(&choice);
  DS_ASSIGN(const auto server, around_.replicas.connect(gate_.replica()));
  DS_TRY(add_children(*server, selection_, tables));
  for (std::size_t i = 1; i < tables.size(); ++i) out.push_back({tables[i]->qualified(), true});
  return out;
}

/// Between two transactions, on the dump thread.
base::Result<void> Session::serve_requests() {
  if (asked_ && !keeper_->has_requests()) return {};
  if (auto own = own_request(around_.config); own && !asked_ && !keeper_->is_served(own->id))
    DS_TRY(serve(std::move(*own)));
  for (auto& request : keeper_->requests()) DS_TRY(serve(std::move(request)));
  asked_ = true;
  return {};
}

/// The tables are due before the answer stands: a crash in between only means that they are copied once more.
base::Result<void> Session::serve(message::Request request) {
  auto requested = resolve(request, selection_);
  request.absent = requested.absent;
  std::vector<Outdated> outdated;
  std::vector<std::string> names;
  DS_ASSIGN(const auto server, around_.replicas.connect(gate_.replica()));
  if (around_.config.allow_cascades) DS_TRY(add_children(*server, selection_, requested.tables));
  for (const auto* table : requested.tables) {
    DS_ASSIGN(const bool there, is_there(*server, *table));
    if (!there) {
      request.absent.push_back(table->qualified());
      continue;
    }
    outdated.push_back({table->qualified(), true});
    names.push_back(table->qualified());
  }
  // Readers stop waiting for a table that the source does not have. One that is captured later may find rows of before
  // at the destination: its first copy empties it.
  for (const auto& name : requested.absent)
    if (selection_.find(name) == nullptr) outdated.push_back({name, true});
  base::log::warn("tables are copied again, as requested",
                  {{"request", request.id},
                   {"from", request.from},
                   {"tables", fmt::format("{}", fmt::join(names, ","))},
                   {"absent", fmt::format("{}", fmt::join(request.absent, ","))}});
  DS_ASSIGN(known_, keeper_->revise(selection_, outdated, stop_.get_token()));
  outdated_.insert(names.begin(), names.end());
  return keeper_->served(request, stop_.get_token());
}

/// The user let exactly this transaction, or the incident at this place, pass. True: its tables are due for a copy, now
/// or since before.
base::Result<bool> Session::pass(const std::string& gtid, const std::string& at, Passed passed) {
  passed.all = passed.all || around_.config.allow_cascades;  // rows of other tables that the binlog does not tell
  if (!passed.all && passed.tables.empty()) return true;
  const auto request = request_of(gtid, at, passed, around_.config);
  // One that comes again, after a crash before a checkpoint had it, is served again: a copy made meanwhile may have
  // been read from a replica that had not executed it yet.
  if (!at.empty() && !accepted_->passed(request) && !accepted_->accepts_place(gtid)) return false;
  base::log::warn("a transaction is passed without its rows: it was accepted", {{"gtid", gtid}, {"at", at}});
  DS_TRY(serve(request));
  accepted_->now_passed(request);
  return true;
}

/// The user let the prepare of an XA transaction pass. That it was passed, and which one it was, is kept for its
/// commit, at which its tables are due.
base::Result<void> Session::pass_prepare(const std::string& gtid, const std::string& xid, const Passed& passed) {
  base::log::warn("an XA PREPARE is passed without its rows: it was accepted", {{"gtid", gtid}, {"xid", xid}});
  auto request = request_of(gtid, "", passed, around_.config);
  for (const auto& id : {request.id, prepare_id(xid)}) {
    request.id = id;
    DS_TRY(keeper_->served(request, stop_.get_token()));
    accepted_->now_passed(request);
  }
  accepted_->prepare_passed(xid, passed);
  return {};
}

}  // namespace datasync::capture
