#include "agents/destination/dialect.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace datasync::apply {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 16> kWideCharsets{{
    {"utf8mb4", 4},
    {"utf8mb3", 3},
    {"utf8", 3},
    {"utf16", 4},
    {"utf16le", 4},
    {"utf32", 4},
    {"ucs2", 2},
    {"big5", 2},
    {"gbk", 2},
    {"sjis", 2},
    {"cp932", 2},
    {"euckr", 2},
    {"gb2312", 2},
    {"ujis", 3},
    {"eucjpms", 3},
    {"gb18030", 4},
}};

/// Whether the server refuses to set the column to NULL, instead of storing another value.
bool refuses_null(const StatementTable& table, std::uint16_t index) noexcept {
  const auto& column = table.there[index];
  return !column.nullable && !column.generated && column.type != message::ColumnType::Timestamp &&
         std::ranges::find(table.numbered, index) == table.numbered.end();
}

}  // namespace

std::uint16_t upsert_guard(const StatementTable& table) noexcept {
  const auto at = std::ranges::find_if(table.key, [&](auto index) { return refuses_null(table, index); });
  return at == table.key.end() ? table.key.front() : *at;
}

bool takes_upsert(const StatementTable& table) noexcept {
  return refuses_null(table, upsert_guard(table));
}

std::uint64_t bytes_per_character(std::string_view charset) noexcept {
  for (const auto& [name, bytes] : kWideCharsets) {
    if (name == charset) return bytes;
  }
  return 1;
}

}  // namespace datasync::apply
