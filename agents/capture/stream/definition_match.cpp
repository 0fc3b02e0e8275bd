// Whether a definition is the one of a table map, and what it says of the map's columns.

#include "agents/capture/stream/definition_match.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "agents/base/identifier.hpp"
#include "agents/capture/stream/definitions.hpp"

namespace datasync::capture {
namespace {

using binlog::WireType;
using message::ColumnType;

constexpr std::uint32_t kUuidBytes = 16, kInet4Bytes = 4;
constexpr std::uint32_t kBinary = 63;  // the collation of bytes

/// BINARY in the binlog.
bool plain_bytes(const binlog::WireColumn& wire) noexcept {
  return wire.type == WireType::String && (wire.collation == 0 || wire.collation == kBinary);
}

std::optional<ColumnType> refined_type(const binlog::WireColumn& wire, ColumnType type) {
  if (!plain_bytes(wire)) return std::nullopt;
  if (wire.length == kInet4Bytes && type == ColumnType::Inet4) return type;
  if (wire.length == kUuidBytes && (type == ColumnType::Uuid || type == ColumnType::Inet6)) return type;
  return std::nullopt;
}

bool refinable(ColumnType type) noexcept {
  return type == ColumnType::Uuid || type == ColumnType::Inet4 || type == ColumnType::Inet6;
}

bool fits(const message::Column& column, const binlog::WireColumn& wire) {
  if (refinable(column.type)) return refined_type(wire, column.type).has_value();
  return !plain_bytes(wire) || column.type == ColumnType::Binary;
}

bool old_temporal(WireType type) noexcept {
  return type == WireType::Time || type == WireType::DateTime || type == WireType::Timestamp;
}

}  // namespace

void hide_excluded(const TableChoice& table, message::TableSchema& schema) {
  for (auto& column : schema.columns)
    if (table.excludes(column.name)) column.labels.clear();
}

bool was_excluded(const TableChoice& table, const message::TableSchema& schema) {
  return std::ranges::any_of(schema.columns, [&](const auto& column) {
    const bool labelled = column.type == ColumnType::Enum || column.type == ColumnType::Set;
    return labelled && column.labels.empty() && !table.excludes(column.name);
  });
}

const message::Column* find_column(const message::TableSchema& schema, std::string_view name) {
  const auto at = std::ranges::find_if(schema.columns, [&](const auto& c) { return base::same_column(c.name, name); });
  return at == schema.columns.end() ? nullptr : &*at;
}

message::TableSchema merge_definitions(const binlog::TableMap& map, const message::TableSchema* first,
                                       const message::TableSchema* second) {
  message::TableSchema out;
  out.database = map.database;
  out.table = map.table;
  for (const auto& wire : map.columns)
    for (const auto* from : {first, second}) {
      const auto* column = from == nullptr ? nullptr : find_column(*from, wire.name);
      if (column == nullptr || !fits(*column, wire)) continue;
      out.columns.push_back(*column);
      break;
    }
  return out;
}

std::vector<binlog::Refinement> refine(const binlog::TableMap& map, const message::TableSchema* definition) {
  std::vector<binlog::Refinement> out;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto& wire = map.columns[i];
    binlog::Refinement r;
    r.column = static_cast<std::uint16_t>(i);
    const auto* column = definition == nullptr ? nullptr : find_column(*definition, wire.name);
    if (column == nullptr) {
      r.hidden = binlog::named_as_hidden(wire);
    } else {
      r.type = refined_type(wire, column->type);
      r.generated = column->generated;
      if (old_temporal(wire.type)) r.fractional_digits = column->scale;
    }
    if (r.type || r.generated || r.hidden || r.fractional_digits) out.push_back(r);
  }
  return out;
}

bool same_key(const message::TableSchema& definition, const binlog::TableMap& map) {
  return std::ranges::equal(definition.key, map.primary_key, [&](auto a, auto b) {
    return base::same_column(definition.columns[a].name, map.columns[b].name);
  });
}

bool describes(const message::TableSchema& definition, const TableChoice& table, const binlog::TableMap& map) {
  std::size_t next = 0;
  for (const auto& wire : map.columns) {
    const bool same = next < definition.columns.size() && base::same_column(definition.columns[next].name, wire.name) &&
                      fits(definition.columns[next], wire);
    if (same)
      ++next;
    else if (!binlog::named_as_hidden(wire) && !table.excludes(wire.name))
      return false;
  }
  return next == definition.columns.size() && same_key(definition, map);
}

bool carries(const message::Definition& definition, const TableChoice& table, const message::TableSchema& carried,
             bool keyless, const Announced& announced) {
  if (!definition.exists) return false;
  const auto open = [&](const message::Column& column) {
    return std::ranges::any_of(announced.columns,
                               [&](const auto& name) { return base::same_column(name, column.name); });
  };
  const auto& known = definition.schema;
  auto next = carried.columns.begin();
  const auto skip = [&] { next = std::find_if_not(next, carried.columns.end(), open); };
  for (const auto& column : known.columns) {
    if (table.excludes(column.name) || open(column)) continue;
    skip();
    if (next == carried.columns.end() || *next != column) return false;
    ++next;
  }
  skip();
  if (next != carried.columns.end()) return false;
  // What a copy has learnt has the declared key of a table without a primary key.
  if (announced.key || (known.key.empty() && keyless)) return true;
  const auto in_key = [&](const message::TableSchema& schema) {
    return std::ranges::any_of(schema.key, [&](auto i) { return open(schema.columns[i]); });
  };
  return in_key(known) || in_key(carried) || std::ranges::equal(known.key, carried.key, [&](auto a, auto b) {
           return base::same_column(known.columns[a].name, carried.columns[b].name);
         });
}

bool promoted_key(const TableChoice& table, const binlog::TableMap& map, const message::TableSchema* known,
                  const message::TableSchema* now) {
  if (table.key_columns.empty() || map.primary_key.empty()) return false;
  if (now != nullptr && same_key(*now, map)) return false;  // a primary key
  const auto* then = known == nullptr ? now : known;
  if (then == nullptr || same_key(*then, map)) return false;
  // What a copy has learnt has the declared key.
  return std::ranges::equal(then->key, table.key_columns,
                            [&](auto i, const auto& name) { return base::same_column(then->columns[i].name, name); }) ||
         then->key.empty();
}

}  // namespace datasync::capture
