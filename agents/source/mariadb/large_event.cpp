// Events of tables that nobody wants are dropped by their front, however large they are.

#include <algorithm>

#include <fmt/format.h>

#include "agents/source/mariadb/event_reader.hpp"

namespace datasync::binlog {
namespace {

using base::Bytes;

EventHeader header_of(Bytes front) noexcept {
  base::Cursor in(front);
  EventHeader h;
  h.timestamp = in.get<std::uint32_t>();
  h.type = static_cast<EventType>(in.get<std::uint8_t>());
  h.server_id = in.get<std::uint32_t>();
  h.size = in.get<std::uint32_t>();
  h.next_position = in.get<std::uint32_t>();
  h.flags = in.get<std::uint16_t>();
  return h;
}

/// Never read, in whatever place.
bool is_never_read(EventType type) noexcept {
  return type == EventType::AnnotateRows || type == EventType::RowsQuery || type == EventType::BeginLoadQuery ||
         type == EventType::AppendBlock || type == EventType::UserVar;
}

}  // namespace

bool EventReader::needs_whole(Bytes front) const {
  if (front.size() <= kHeaderSize) return true;
  const auto type = header_of(front).type;
  if (is_never_read(type)) return false;
  if (!rows_kind(type) || state_ != State::Group) return true;
  const auto head = parse_rows_head(front.subspan(kHeaderSize), where());
  if (!head) return true;
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const OpenTable& t) { return t.id == head->table; });
  return at == open_.end() || at->token != kUnwanted;
}

base::Result<void> EventReader::pass_over(Bytes front) {
  header_ = header_of(front);
  ++counters_.events;
  if (header_.next_position >= header_.size) position_ = header_.next_position - header_.size;
  if (!rows_kind(header_.type)) return {};
  DS_ASSIGN(const auto head, parse_rows_head(front.subspan(kHeaderSize), where()));
  ++counters_.unwanted_rows_events;
  if (head.statement_end) open_.clear();
  return {};
}

std::string EventReader::name_of(Bytes front) const {
  const auto header = header_of(front);
  const auto plain = fmt::format("a {} event at {}", to_string(header.type), where().text());
  if (!rows_kind(header.type)) return plain;
  const auto head = parse_rows_head(front.subspan(kHeaderSize), where());
  const auto known = head ? known_.find(head->table.value()) : known_.end();
  if (known == known_.end()) return plain;
  const auto name = parse_table_name(base::as_bytes(known->second.bytes), where());
  return name ? fmt::format("a row of {}.{} after {}", name->database, name->table, where().text()) : plain;
}

}  // namespace datasync::binlog
