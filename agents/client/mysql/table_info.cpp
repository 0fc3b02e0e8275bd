#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/core.h>

#include "agents/base/identifier.hpp"
#include "agents/client/mysql/column_type.hpp"
#include "agents/client/mysql/create_table.hpp"
#include "agents/client/mysql/handle.hpp"
#include "agents/client/mysql/table_reader.hpp"

namespace datasync::sql {
namespace {

using message::ColumnType;

constexpr int kTries = 3;  // a table that is altered while it is read is read again

std::uint64_t number(const std::optional<std::string>& field) {
  std::uint64_t value = 0;
  if (field) std::from_chars(field->data(), field->data() + field->size(), value);
  return value;
}
std::string text(std::optional<std::string>& field) {
  return field ? std::move(*field) : std::string{};
}

/// Reads one table's definition from information_schema, and proves that it is complete with SHOW CREATE TABLE, which
/// also has the foreign keys.
class InfoReader {
 public:
  InfoReader(Connection& connection, std::string_view database, std::string_view table,
             const std::vector<std::string>& excluded)
      : connection_(connection),
        excluded_(excluded),
        database_(database),
        table_(table),
        where_database_(quote_text(database)),
        where_table_(quote_text(table)) {}

  base::Result<std::optional<TableInfo>> read() {
    for (int tries = 0; tries < kTries; ++tries) {
      info_ = {};
      names_.clear();
      info_.schema.database = database_;
      info_.schema.table = table_;
      DS_ASSIGN(const Found found, read_table());
      if (found == Found::No) return std::optional<TableInfo>{};
      if (found == Found::Hidden) continue;
      DS_TRY(read_columns());
      DS_ASSIGN(const std::size_t unique_keys, read_keys());
      DS_ASSIGN(const CreateTable whole, read_create_table());
      if (!agrees(whole, unique_keys)) continue;
      take_foreign_keys(whole);
      return std::optional<TableInfo>(std::move(info_));
    }
    return error(source() ? base::Reason::SourceRestarted : base::Reason::DestinationBusy,
                 "information_schema and SHOW CREATE TABLE give different definitions; the table is being altered");
  }

 private:
  [[nodiscard]] std::string of_table(std::string_view prefix = "") const {
    return fmt::format("{}table_schema={} AND {}table_name={}", prefix, where_database_, prefix, where_table_);
  }
  [[nodiscard]] base::Error error(base::Reason reason, std::string_view what) const {
    return {reason, fmt::format("{}: {}", info_.schema.qualified(), what)};
  }

  [[nodiscard]] bool source() const { return connection_.impl().options.role == Role::Source; }

  enum class Found : std::uint8_t { Yes, No, Hidden };

  /// No row may also mean that the user has no privilege on the table, or that the server could not open it and
  /// returned only a warning: SHOW CREATE TABLE reports both as errors.
  base::Result<Found> read_table() {
    DS_ASSIGN(
        auto rows,
        connection_.query("SELECT table_type, engine, table_rows FROM information_schema.tables WHERE " + of_table()));
    if (rows.empty() || !rows[0][0]) {
      const auto shown = connection_.query(show_create());
      if (shown) return Found::Hidden;
      const bool missing =
          shown.error().is(source() ? base::Reason::TableDropped : base::Reason::DestinationTableMissing);
      return missing ? base::Result<Found>(Found::No) : base::Result<Found>(shown.error());
    }
    info_.system_versioned = *rows[0][0] == "SYSTEM VERSIONED";
    info_.engine = text(rows[0][1]);
    info_.rows_estimate = number(rows[0][2]);
    return info_.system_versioned || *rows[0][0] == "BASE TABLE" ? Found::Yes : Found::No;
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
    names_.push_back(words.name);
    const auto is_it = [&](const std::string& name) { return base::same_column(name, words.name); };
    if (!column && std::ranges::any_of(excluded_, is_it)) {
      info_.unread_columns.push_back(words.name);
      return {};
    }
    if (!column) {
      return error(base::Reason::UnsupportedType, fmt::format("column {} has type {}", words.name, words.column_type));
    }
    DS_TRY(mend_labels(*column));
    if (extra.find("INVISIBLE") != std::string::npos) info_.invisible_columns.push_back(column->name);
    info_.schema.columns.push_back(std::move(*column));
    return {};
  }

  /// A variable of the column's own type returns a label with all its characters, unlike information_schema.
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
    return 0;  // not reached: the names of key columns come from the same table
  }
  [[nodiscard]] bool unread(const std::string& name) const {
    return std::ranges::find(info_.unread_columns, name) != info_.unread_columns.end();
  }

  /// Returns the number of unique keys, including the primary key.
  base::Result<std::size_t> read_keys() {
    DS_ASSIGN(auto rows,
              connection_.query("SELECT index_name, column_name, sub_part FROM information_schema.statistics "
                                "WHERE non_unique=0 AND " +
                                of_table() + " ORDER BY index_name, seq_in_index"));
    std::string last;
    std::set<std::string> names;
    for (Row& row : rows) {
      const std::string index = text(row[0]);
      names.insert(index);
      if (!row[1]) continue;  // a key part that is an expression (MySQL)
      const bool primary = index == "PRIMARY";
      if (!primary && (info_.unique_keys.empty() || index != last)) info_.unique_keys.emplace_back();
      last = index;
      if (unread(*row[1])) {
        if (primary)
          return error(base::Reason::UnsupportedType,
                       fmt::format("column {} of the primary key has a type that cannot be carried", *row[1]));
        info_.unique_by_prefix = true;  // the remaining columns of the key do not identify a row
        continue;
      }
      (primary ? info_.schema.key : info_.unique_keys.back()).push_back(column_index(*row[1]));
      if (row[2]) info_.unique_by_prefix = true;
    }
    return names.size();
  }

  [[nodiscard]] std::string show_create() const { return "SHOW CREATE TABLE " + quote_identifier(database_, table_); }

  /// Needs a privilege on the whole table; without it the server refuses.
  base::Result<CreateTable> read_create_table() {
    auto shown = connection_.query(show_create());
    if (!shown && shown.error().is(base::Reason::PermissionDenied))
      return error(
          base::Reason::PermissionDenied,
          fmt::format("{}; the user needs SELECT on the whole table, not on columns: GRANT SELECT ON {} TO ...",
                      shown.error().what, quote_identifier(database_, table_)));
    DS_ASSIGN(auto rows, std::move(shown));
    auto parsed = rows.empty() || rows[0].size() < 2 || !rows[0][1] ? std::nullopt : parse_create_table(*rows[0][1]);
    if (parsed) return std::move(*parsed);
    return error(source() ? base::Reason::SchemaUnknown : base::Reason::DestinationSchemaMismatch,
                 "the answer to SHOW CREATE TABLE is not understood");
  }

  /// information_schema shows only columns on which the user has a privilege, and it returns a warning and fewer rows
  /// when a table cannot be opened.
  [[nodiscard]] bool agrees(const CreateTable& whole, std::size_t unique_keys) const {
    return whole.unique_keys == unique_keys && std::ranges::equal(whole.columns, names_);
  }

  void take_foreign_keys(const CreateTable& whole) {
    info_.foreign_keys = whole.foreign_keys;
    for (auto& key : info_.foreign_keys)
      if (key.parent_database.empty()) key.parent_database = database_;
  }

  Connection& connection_;
  const std::vector<std::string>& excluded_;
  std::vector<std::string> names_;  ///< names of all columns
  std::string database_, table_, where_database_, where_table_;
  TableInfo info_;
};

}  // namespace

bool TableInfo::ForeignKey::acts() const {
  return sql::acts(on_update) || sql::acts(on_delete);
}

base::Result<std::optional<TableInfo>> read_table_info(Connection& connection, std::string_view database,
                                                       std::string_view table,
                                                       const std::vector<std::string>& excluded) {
  return InfoReader(connection, database, table, excluded).read();
}

}  // namespace datasync::sql
