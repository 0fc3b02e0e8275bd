#include "agents/apply/write/conflict_message.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/client/mysql/key_range.hpp"

namespace datasync::apply {
namespace {

std::string where(const TargetTable& table, const RowBuffer& buffer, ImageAt image) {
  std::string text;
  for (const auto index : table.names.key) {
    const auto& column = table.schema->columns[index];
    const auto value = buffer.value(image, index);
    text += (text.empty() ? " WHERE " : " AND ") + sql::quote_identifier(column.name) +
            (is_null(value) ? " IS NULL" : "=" + sql::literal(column, value));
  }
  return text;
}

}  // namespace

std::string describe_change(const TargetTable& table, const RowChange& change) {
  static constexpr std::string_view kNames[] = {"", "insert", "update", "delete", "truncate"};
  auto text = fmt::format("{} of {}", kNames[static_cast<std::size_t>(change.op)], table.qualified());
  if (change.op == message::Op::Truncate) return text;
  std::vector<std::string_view> key;
  for (const auto index : table.names.key) key.emplace_back(table.schema->columns[index].name);
  return text + fmt::format(" (key {})", fmt::join(key, ", "));
}

base::Result<bool> row_is_there(sql::Connection& connection, const TargetTable& table, const RowBuffer& buffer,
                                ImageAt image) {
  DS_ASSIGN(const auto found,
            connection.query_one(fmt::format("SELECT 1 FROM {}{} LIMIT 1",
                                             sql::quote_identifier(table.names.database, table.names.table),
                                             where(table, buffer, image))));
  return found.has_value();
}

}  // namespace datasync::apply
