#include "agents/apply/plan/copies.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "agents/config/orders.hpp"
#include "agents/message/route.hpp"
#include "agents/protocol/request_ids.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using message::Kind;

/// What may stand behind the '#' of copy-tables: a value of its own for every request.
std::string token_of(std::string request) {
  for (char& c : request)
    if (c == '#' || c == ',' || c == ';' || c == ' ' || c == '\n') c = '-';
  return request;
}

base::Result<std::vector<std::string>> names_of(const std::vector<message::TableRows>& rows, SchemaBook& book,
                                                std::stop_token stop) {
  std::set<std::string> names;
  for (const auto& r : rows) {
    DS_ASSIGN(const auto schema, book.find(r.schema, stop));
    names.insert(schema->qualified());
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

base::Result<std::vector<std::string>> tables_of(const Incoming& record, const SnapshotState& snapshot,
                                                 SchemaBook& book, std::stop_token stop) {
  using Names = std::vector<std::string>;
  const auto all_of_type = [&]() -> base::Result<Names> {
    DS_TRY(book.refresh(stop));
    return book.tables_of(record.headers.type);
  };
  switch (record.headers.kind) {
    case Kind::Change: {
      const auto change = message::decode<message::Change>(record.value);
      if (!change) return all_of_type();
      auto names = names_of(change->tables, book, stop);
      if (!names && names.error().is(Reason::ForeignMessage)) return all_of_type();  // a schema that nobody knows
      return names;
    }
    case Kind::Schema: {
      const auto note = message::decode<message::SchemaNote>(record.value);
      if (!note) return all_of_type();
      return Names{note->database + "." + note->table};
    }
    case Kind::Snapshot: {
      const auto part = message::decode<message::Snapshot>(record.value);
      if (!part)
        return record.headers.type.empty() ? Names(snapshot.tables.begin(), snapshot.tables.end()) : all_of_type();
      if (part->phase == message::Snapshot::Phase::End && part->tables.empty())
        return Names(snapshot.tables.begin(), snapshot.tables.end());
      if (part->phase != message::Snapshot::Phase::Rows) return part->tables;
      auto names = names_of(part->rows, book, stop);
      if (!names && names.error().is(Reason::ForeignMessage)) return all_of_type();
      return names;
    }
    default:
      return Names{};
  }
}

/// As far as it is known what type a table is of.
bool AwaitedCopies::may_be_here(const std::string& table) {
  const auto type = book_.type_of(table);
  if (!type) return true;
  const bool wanted = config_.types.empty() || std::ranges::find(config_.types, *type) != config_.types.end();
  return wanted && message::stream_of(*type, streams_) == stream_;
}

/// Capture has answered that the source does not have it: this request, or that of the user whom `state` asked for it.
bool AwaitedCopies::is_absent(const std::string& table, const std::string& request) {
  return book_.is_absent(table, request, token_of(request));
}

std::vector<std::string> AwaitedCopies::ordered_elsewhere() {
  if (config_.copy_tables.empty()) return {};
  auto tables = config::copy_order(config_.copy_tables).tables;
  std::erase_if(tables, [this](const auto& table) { return may_be_here(table); });
  return tables;
}

base::Result<Awaited> AwaitedCopies::ordered(std::stop_token stop) {
  Awaited out;
  if (config_.copy_tables.empty()) return out;
  DS_TRY(book_.refresh(std::move(stop)));
  // Each stream asks for itself, when it has written down that it waits.
  const auto request = fmt::format("{}{}/{}{}", protocol::request_ids::kCopy, config_.common.name, config_.copy_tables,
                                   streams_ > 1 ? fmt::format("/{}", stream_) : "");
  if (book_.asked(request) || book_.asked_by_token(token_of(request))) return out;
  for (const auto& table : config::copy_order(config_.copy_tables).tables)
    if (may_be_here(table)) out.emplace(table, request);
  return out;
}

base::Result<std::vector<std::string>> AwaitedCopies::all_here(std::stop_token stop) {
  DS_TRY(book_.refresh(std::move(stop)));
  auto tables = book_.tables();
  std::erase_if(tables, [this](const auto& table) { return !may_be_here(table); });
  return tables;
}

Awaited AwaitedCopies::skipped(std::int64_t offset, const std::vector<std::string>& tables) const {
  Awaited out;
  // The same for every task that skips this record: one copy is enough, it stands behind all of them.
  for (const auto& table : tables) out.emplace(table, fmt::format("skip/{}:{}", stream_, offset));
  return out;
}

Awaited AwaitedCopies::unaltered(std::int64_t next_offset, const std::string& table) const {
  // Of this task alone: another one may have been able to alter its table.
  return {{table, fmt::format("alter/{}/{}:{}", config_.common.name, stream_, next_offset)}};
}

std::vector<std::string> AwaitedCopies::look(const Awaited& committed, std::stop_token stop) {
  std::vector<std::string> out;
  std::map<std::string, message::Request> requests;
  refused_.reset();
  if (auto read = book_.refresh(stop); !read) {
    refused_ = std::move(read).error();
    return out;
  }
  for (const auto& [table, id] : committed) {
    if (!may_be_here(table) || is_absent(table, id)) {
      out.push_back(table);
      continue;
    }
    auto& request = requests[id];
    request.id = id;
    request.from = config_.common.name;
    request.tables.push_back(table);
  }
  for (const auto& [id, request] : requests) {
    if (book_.asked(id)) continue;
    if (auto asked = book_.ask(request, stop); !asked) {
      refused_ = std::move(asked).error();
      continue;
    }
    base::log::warn(
        "requested a copy of tables",
        {{"stream", stream_}, {"request", id}, {"tables", fmt::format("{}", fmt::join(request.tables, ","))}});
  }
  return out;
}

std::optional<Error> AwaitedCopies::state(const Awaited& committed) {
  std::vector<std::string> tables;
  std::set<std::string> requests;
  for (const auto& [table, id] : committed) {
    if (is_absent(table, id)) continue;
    tables.push_back(table);
    requests.insert(id);
  }
  if (tables.empty()) return std::nullopt;
  const auto names = fmt::format("{}", fmt::join(tables, ","));
  if (!refused_ || !refused_->is(Reason::PermissionDenied))
    return Error(Reason::AwaitingCopy,
                 fmt::format("rows of {} are left out until the requested copy begins ({}){}", names,
                             fmt::join(requests, ", "), refused_ ? "; " + refused_->what : ""));
  return Error(
      Reason::CopyNeeded,
      fmt::format("rows of {} are left out until a copy of them begins, and this agent may not request it ({}). "
                  "Annotate the DataSync that has the source with datasync.dev/copy-tables={}#{}",
                  names, refused_->what, config::copy_value(tables), token_of(*requests.begin())));
}

}  // namespace datasync::apply
