#include "agents/apply/explain.hpp"

#include <fmt/format.h>

#include "agents/sql/key_range.hpp"

namespace datasync::apply {
namespace {

constexpr std::size_t kLongestValue = 64;

std::string image_text(const TargetTable& table, const RowBuffer& buffer, ImageAt image) {
  return message::display_image(*table.schema, view_of(buffer, image, table.columns()));
}

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

bool is_binary(const message::Column& column) {
  using message::ColumnType;
  return column.type == ColumnType::Binary || column.type == ColumnType::VarBinary || column.type == ColumnType::Blob ||
         column.type == ColumnType::Geometry || column.type == ColumnType::Bit;
}

std::string shown(const message::Column& column, const std::optional<std::string>& value) {
  if (!value) return column.name + "=NULL";
  const auto cut = value->size() > kLongestValue ? value->substr(0, kLongestValue) + "..." : *value;
  return fmt::format("{}={}", column.name,
                     is_binary(column)               ? "0x" + cut
                     : message::is_text(column.type) ? "'" + cut + "'"
                                                     : cut);
}

}  // namespace

std::string describe_change(const TargetTable& table, const RowBuffer& buffer, const RowChange& change) {
  static constexpr std::string_view kNames[] = {"", "insert", "update", "delete", "truncate"};
  auto text = fmt::format("{} of {}", kNames[static_cast<std::size_t>(change.op)], table.qualified());
  if (change.op == message::Op::Truncate) return text;
  const ImageAt key = change.before != kNoImage ? change.before : change.after;
  text += fmt::format(" ({}), source ", message::display_key(*table.schema, view_of(buffer, key, table.columns())));
  if (change.before != kNoImage) text += image_text(table, buffer, change.before);
  if (change.op == message::Op::Update) text += " -> ";
  if (change.after != kNoImage) text += image_text(table, buffer, change.after);
  return text;
}

base::Result<std::optional<std::string>> destination_row(sql::Connection& connection, const TargetTable& table,
                                                         const RowBuffer& buffer, ImageAt image) {
  std::string columns;
  for (const auto& column : table.schema->columns) {
    const auto name = sql::quote_identifier(column.name);
    columns += (columns.empty() ? "" : ",") + (is_binary(column) ? "HEX(" + name + ")" : name);
  }
  DS_ASSIGN(const auto rows,
            connection.query(fmt::format("SELECT {} FROM {}{} LIMIT 1", columns,
                                         sql::quote_identifier(table.names.database, table.names.table),
                                         where(table, buffer, image))));
  if (rows.empty()) return std::optional<std::string>{};
  std::string text;
  for (std::size_t i = 0; i < table.columns(); ++i)
    text += (i == 0 ? "{" : ", ") + shown(table.schema->columns[i], rows.front()[i]);
  return std::optional<std::string>(text + "}");
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
