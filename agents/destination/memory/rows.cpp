#include "agents/destination/memory/rows.hpp"

#include <algorithm>
#include <utility>

#include "agents/base/identifier.hpp"

namespace datasync::apply {
namespace {

MemoryValue value_of(base::Bytes value) {
  if (value.data() == nullptr) return std::nullopt;
  return std::string(base::as_text(value));
}

/// Index in the stored row of each column of the schema.
std::size_t place_of(const MemoryObject& object, const StatementTable& table, std::uint16_t column) {
  return memory_column(object.info, table.there[column].name).value_or(0);
}

bool has_key(const MemoryObject& object, const StatementTable& table, const MemoryRow& row, const base::Bytes* image) {
  return std::ranges::all_of(
      table.key, [&](std::uint16_t column) { return row[place_of(object, table, column)] == value_of(image[column]); });
}

void set(const MemoryObject& object, const StatementTable& table, MemoryRow& row, const base::Bytes* image) {
  for (const auto column : table.written) row[place_of(object, table, column)] = value_of(image[column]);
}

/// NULL is equal to nothing in a unique key.
bool same(const MemoryRow& a, const MemoryRow& b, const std::vector<std::uint16_t>& key) {
  return std::ranges::all_of(key, [&](std::uint16_t column) { return a[column] && a[column] == b[column]; });
}

bool is_unique(const MemoryObject& object, const MemoryRow& row) {
  const auto taken = [&](const std::vector<std::uint16_t>& key) {
    return !key.empty() &&
           std::ranges::count_if(object.rows, [&](const auto& other) { return same(row, other, key); }) > 1;
  };
  return !taken(object.info.schema.key) && std::ranges::none_of(object.info.unique_keys, taken);
}

bool insert(MemoryObject& object, const StatementTable& table, const base::Bytes* image) {
  auto& row = object.rows.emplace_back(object.info.schema.columns.size());
  set(object, table, row, image);
  return is_unique(object, row);
}

}  // namespace

std::optional<std::size_t> memory_column(const TableInfo& info, std::string_view name) {
  const auto& columns = info.schema.columns;
  const auto at =
      std::ranges::find_if(columns, [&](const auto& column) { return base::same_column(column.name, name); });
  if (at == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.begin());
}

std::uint64_t memory_count(const MemoryObject& object, const StatementTable& table, const base::Bytes* image) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(object.rows, [&](const auto& row) { return has_key(object, table, row, image); }));
}

std::optional<std::uint64_t> memory_run(MemoryObject& object, RowVerb verb, const StatementTable& table,
                                        std::span<const RowImages> rows) {
  std::uint64_t found = 0;
  for (const auto& images : rows) {
    const auto is_it = [&](const MemoryRow& row) { return has_key(object, table, row, images.key); };
    if (verb == RowVerb::Delete) {
      found += std::erase_if(object.rows, is_it);
      continue;
    }
    std::uint64_t here = 0;
    if (verb != RowVerb::Insert) {
      for (auto& row : object.rows) {
        if (!is_it(row)) continue;
        ++here;
        set(object, table, row, images.after);
        if (!is_unique(object, row)) return std::nullopt;
      }
    }
    const bool stores = verb == RowVerb::Insert || (verb == RowVerb::Upsert && here == 0);
    if (stores && !insert(object, table, images.after)) return std::nullopt;
    found += stores ? 1 : here;
  }
  return found;
}

}  // namespace datasync::apply
