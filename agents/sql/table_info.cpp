#include <charconv>

#include <fmt/core.h>

#include "agents/sql/column_type.hpp"
#include "agents/sql/handle.hpp"
#include "agents/sql/table_reader.hpp"

namespace datasync::sql {
namespace {

using message::ColumnType;

std::uint64_t number(const std::optional<std::string>& field) {
  std::uint64_t value = 0;
  if (field) std::from_chars(field->data(), field->data() + field->size(), value);
  return value;
}
std::string text(std::optional<std::string>& field) {
  return field ? std::move(*field) : std::string{};
}

/// Reads one table's definition out of information_schema.
class InfoReader {
 public:
  InfoReader(Connection& connection, std::string_view database, std::string_view table)
      : connection_(connection), where_database_(quote_text(database)), where_table_(quote_text(table)) {
    info_.schema.database = database;
    info_.schema.table = table;
  }

  base::Result<std::optional<TableInfo>> read() {
    DS_ASSIGN(const bool found, read_table());
    if (!found) return std::optional<TableInfo>{};
    DS_TRY(read_columns());
    DS_TRY(read_keys());
    DS_TRY(read_foreign_keys());
    return std::optional<TableInfo>(std::move(info_));
  }

 private:
  [[nodiscard]] std::string of_table(std::string_view prefix = "") const {
    return fmt::format("{}table_schema={} AND {}table_name={}", prefix, where_database_, prefix, where_table_);
  }
  [[nodiscard]] base::Error error(base::Reason reason, std::string_view what) const {
    return {reason, fmt::format("{}: {}", info_.schema.qualified(), what)};
  }

  base::Result<bool> read_table() {
    DS_ASSIGN(
        auto rows,
        connection_.query("SELECT table_type, engine, table_rows FROM information_schema.tables WHERE " + of_table()));
    if (rows.empty() || !rows[0][0]) return false;
    info_.system_versioned = *rows[0][0] == "SYSTEM VERSIONED";
    info_.engine = text(rows[0][1]);
    info_.rows_estimate = number(rows[0][2]);
    return info_.system_versioned || *rows[0][0] == "BASE TABLE";
  }

  base::Result<void> read_columns() {
    DS_ASSIGN(
        auto rows,
        connection_.query("SELECT column_name, data_type, column_type, character_octet_length, numeric_precision, "
                          "numeric_scale, datetime_precision, character_set_name, collation_name, is_nullable, extra "
                          "FROM information_schema.columns WHERE " +
                          of_table() + " ORDER BY ordinal_position"));
    for (Row& row : rows) DS_TRY(add_column(row));
    return {};
  }

  base::Result<void> add_column(Row& row) {
    const std::string extra = text(row[10]);
    ColumnWords words{.name = text(row[0]),
                      .data_type = text(row[1]),
                      .column_type = text(row[2]),
                      .octet_length = number(row[3]),
                      .numeric_precision = number(row[4]),
                      .numeric_scale = number(row[5]),
                      .datetime_precision = number(row[6]),
                      .charset = text(row[7]),
                      .collation = text(row[8]),
                      .nullable = row[9] == "YES",
                      .generated = extra.find("GENERATED") != std::string::npos &&
                                   extra.find("DEFAULT_GENERATED") == std::string::npos};
    auto column = column_of(words);
    if (!column) {
      return error(base::Reason::UnsupportedType, fmt::format("column {} has type {}", words.name, words.column_type));
    }
    DS_TRY(mend_labels(*column));
    if (extra.find("INVISIBLE") != std::string::npos) info_.invisible_columns.push_back(column->name);
    info_.schema.columns.push_back(std::move(*column));
    return {};
  }

  /// A variable of the column's own type gives a label with all its characters, which information_schema does not.
  base::Result<void> mend_labels(message::Column& column) {
    for (std::size_t i = 0; i < column.labels.size(); ++i) {
      if (!may_be_damaged(column.labels[i], column.charset)) continue;
      if (!connection_.is_mariadb()) {
        return error(base::Reason::UnsupportedType,
                     fmt::format("the labels of column {} cannot be read without loss", column.name));
      }
      const std::uint64_t value = column.type == ColumnType::Set ? std::uint64_t{1} << i : i + 1;
      DS_ASSIGN(auto label,
                connection_.query_one(fmt::format("BEGIN NOT ATOMIC DECLARE v TYPE OF {}.{}; SET v={}; SELECT v; END",
                                                  quote_identifier(info_.schema.database, info_.schema.table),
                                                  quote_identifier(column.name), value)));
      column.labels[i] = text(label);
    }
    return {};
  }

  [[nodiscard]] std::uint16_t column_index(std::string_view name) const {
    for (std::size_t i = 0; i < info_.schema.columns.size(); ++i) {
      if (info_.schema.columns[i].name == name) return static_cast<std::uint16_t>(i);
    }
    return 0;  // not reached: names of keys come from the same table
  }

  base::Result<void> read_keys() {
    DS_ASSIGN(auto rows,
              connection_.query("SELECT index_name, column_name, sub_part FROM information_schema.statistics "
                                "WHERE non_unique=0 AND " +
                                of_table() + " ORDER BY index_name, seq_in_index"));
    std::string last;
    for (Row& row : rows) {
      const std::string index = text(row[0]);
      if (!row[1]) continue;  // a key part that is an expression (MySQL)
      const bool primary = index == "PRIMARY";
      if (!primary && (info_.unique_keys.empty() || index != last)) info_.unique_keys.emplace_back();
      last = index;
      (primary ? info_.schema.key : info_.unique_keys.back()).push_back(column_index(*row[1]));
      if (row[2]) info_.unique_by_prefix = true;
    }
    return {};
  }

  base::Result<void> read_foreign_keys() {
    DS_ASSIGN(auto rows,
              connection_.query(
                  "SELECT k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, "
                  "k.referenced_column_name, r.update_rule, r.delete_rule FROM information_schema.key_column_usage k "
                  "JOIN information_schema.referential_constraints r ON r.constraint_schema=k.constraint_schema AND "
                  "r.constraint_name=k.constraint_name AND r.table_name=k.table_name WHERE r.constraint_schema=" +
                  where_database_ + " AND r.table_name=" + where_table_ + " AND " + of_table("k.") +
                  " AND k.referenced_table_name IS NOT NULL ORDER BY k.constraint_name, k.ordinal_position"));
    for (Row& row : rows) {
      const std::string name = text(row[0]);
      if (info_.foreign_keys.empty() || info_.foreign_keys.back().name != name) {
        TableInfo::ForeignKey& key = info_.foreign_keys.emplace_back();
        key.name = name;
        key.parent_database = text(row[2]);
        key.parent_table = text(row[3]);
        key.on_update = text(row[5]);
        key.on_delete = text(row[6]);
      }
      info_.foreign_keys.back().columns.push_back(text(row[1]));
      info_.foreign_keys.back().parent_columns.push_back(text(row[4]));
    }
    return {};
  }

  Connection& connection_;
  std::string where_database_, where_table_;
  TableInfo info_;
};

}  // namespace

base::Result<std::optional<TableInfo>> read_table_info(Connection& connection, std::string_view database,
                                                       std::string_view table) {
  return InfoReader(connection, database, table).read();
}

message::TableSchema key_schema(const message::TableSchema& schema) {
  message::TableSchema out;
  out.database = schema.database;
  out.table = schema.table;
  for (const std::uint16_t index : schema.key) {
    out.key.push_back(static_cast<std::uint16_t>(out.columns.size()));
    out.columns.push_back(schema.columns[index]);
  }
  return out;
}

}  // namespace datasync::sql
