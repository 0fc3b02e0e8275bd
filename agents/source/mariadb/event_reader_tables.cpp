// The part of the reader that knows tables by their table maps, and hands over their rows.

#include <algorithm>

#include <fmt/format.h>

#include "agents/source/mariadb/event_reader.hpp"

namespace datasync::binlog {
namespace {

using base::Bytes;

constexpr std::size_t kMostKnownTables = 4096;
constexpr std::size_t kScratchKept = std::size_t{4} << 20U;
constexpr std::size_t kBeforeNames = 8;  // id and flags

/// Where the names in a table map end, with their lengths and ends.
std::size_t name_end(const TableName& name) noexcept {
  return kBeforeNames + name.database.size() + name.table.size() + 4;
}

/// The names in a table map, as many bytes as `like` takes.
std::string_view name_bytes(std::string_view map, const TableName& like) noexcept {
  return map.size() < name_end(like) ? std::string_view() : map.substr(kBeforeNames, name_end(like) - kBeforeNames);
}

}  // namespace

base::Result<void> EventReader::table_map(Bytes body) {
  DS_ASSIGN(const auto name, parse_table_name(body, where()));
  if (!known_.contains(name.id.value())) forget_older(name, body);
  auto& known = known_[name.id.value()];
  if (known.bytes != base::as_text(body)) {
    known.bytes.clear();
    known.token = kUnwanted;
    if (handler_.wants(name.database, name.table)) {
      DS_ASSIGN(const auto map, parse_table_map(body, where()));
      DS_ASSIGN(known.token, handler_.on_table(map, where()));
    }
    // Of a table that is not wanted the names are enough: it is asked about again each time.
    known.bytes = known.token == kUnwanted ? base::as_text(body).substr(0, name_end(name)) : base::as_text(body);
  }
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const OpenTable& t) { return t.id == name.id; });
  if (at != open_.end()) {
    at->token = known.token;
  } else {
    open_.push_back({name.id, known.token});
  }
  return {};
}

/// A table that the server opens again gets a new id; its older one comes only in a transaction that began before.
void EventReader::forget_older(const TableName& name, Bytes body) {
  if (known_.size() >= kMostKnownTables) known_.clear();
  const auto named = name_bytes(base::as_text(body), name);
  std::erase_if(known_, [&](const auto& k) { return name_bytes(k.second.bytes, name) == named; });
}

base::Result<void> EventReader::rows(Bytes body, RowsKind kind) {
  DS_ASSIGN(const auto head, parse_rows_head(body, where()));
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const OpenTable& t) { return t.id == head.table; });
  if (at == open_.end() && !is_dummy(head.table))
    return damaged(fmt::format("is for table id {}, which no table map in its statement names", head.table.value()));
  if (at == open_.end() || at->token == kUnwanted) {
    ++counters_.unwanted_rows_events;
  } else {
    const auto token = at->token;
    if (scratch_.capacity() > kScratchKept) scratch_ = base::Buffer();
    DS_ASSIGN(const auto event, parse_rows(body, kind, where(), inflater_, scratch_, options_.max_inflated));
    DS_TRY(handler_.on_rows(token, event));
  }
  if (head.statement_end) open_.clear();
  return {};
}

}  // namespace datasync::binlog
