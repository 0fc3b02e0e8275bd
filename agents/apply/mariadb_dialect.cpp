#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/dialect.hpp"
#include "agents/apply/mariadb_types.hpp"
#include "agents/sql/bulk.hpp"
#include "agents/sql/connection.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;
using message::TableSchema;
using sql::quote_identifier;

constexpr std::uint64_t kMaxKeyBytes = 3072;  // of an InnoDB index, https://mariadb.com/kb/en/innodb-limitations/

bool needs_prefix(const Column& column) {
  return column.type == ColumnType::Text || column.type == ColumnType::Blob || column.type == ColumnType::Json ||
         column.type == ColumnType::Geometry;
}

std::string key_part(const TableSchema& schema, std::uint16_t index) {
  const Column& column = schema.columns[index];
  if (!needs_prefix(column)) return quote_identifier(column.name);
  const auto bytes = std::min(column.length == 0 ? kMaxKeyBytes : column.length, kMaxKeyBytes / schema.key.size());
  return fmt::format("{}({})", quote_identifier(column.name),
                     std::max<std::uint64_t>(1, bytes / bytes_per_character(column.charset)));
}

/// A declared key may hold NULL: then it is an index, not a primary key.
std::string key_clause(const TableSchema& schema) {
  if (schema.key.empty()) return "";
  std::string parts;
  for (const auto index : schema.key) parts += (parts.empty() ? "" : ",") + key_part(schema, index);
  const bool nullable = std::ranges::any_of(schema.key, [&](auto i) { return schema.columns[i].nullable; });
  return fmt::format(", {} ({})", nullable ? "KEY" : "PRIMARY KEY", parts);
}

class MariaDbDialect final : public Dialect {
 public:
  [[nodiscard]] std::string quote(std::string_view database, std::string_view table) const override {
    return quote_identifier(database, table);
  }

  // An agent that is frozen inside a transaction holds the ledger's row: the server ends such a transaction after 10 s.
  [[nodiscard]] std::vector<std::string> session() const override {
    return {"SET SESSION idle_transaction_timeout=10, innodb_lock_wait_timeout=20, lock_wait_timeout=60"};
  }
  [[nodiscard]] std::string foreign_key_checks(bool on) const override {
    return fmt::format("SET SESSION foreign_key_checks={}", on ? 1 : 0);
  }

  [[nodiscard]] StatementText insert(const StatementTable& table) const override {
    StatementText out;
    std::string columns;
    std::string values;
    for (const auto index : table.written) {
      const Column& column = table.schema->columns[index];
      columns += (columns.empty() ? "" : ",") + quote_identifier(column.name);
      values += (values.empty() ? "" : ",") + sql::placeholder(column, false);
      out.parameters.push_back({StatementText::Image::After, index});
    }
    out.sql = fmt::format("INSERT INTO {} ({}) VALUES ({})", quote(table.database, table.table), columns, values);
    return out;
  }

  [[nodiscard]] StatementText update(const StatementTable& table) const override {
    std::vector<std::uint16_t> columns;
    std::ranges::copy_if(table.written, std::back_inserter(columns),
                         [&](auto c) { return std::ranges::find(table.key, c) == table.key.end(); });
    return set(table, columns.empty() ? table.written : columns);
  }
  [[nodiscard]] StatementText move(const StatementTable& table) const override { return set(table, table.written); }

  [[nodiscard]] StatementText erase(const StatementTable& table) const override {
    StatementText out;
    out.sql = fmt::format("DELETE FROM {}", quote(table.database, table.table));
    add_where(table, out);
    return out;
  }
  [[nodiscard]] std::string empty_some(std::string_view database, std::string_view table) const override {
    return fmt::format("DELETE FROM {} LIMIT 20000", quote(database, table));
  }

  [[nodiscard]] std::string create_database(std::string_view database) const override {
    return "CREATE DATABASE IF NOT EXISTS " + quote_identifier(database);
  }
  [[nodiscard]] std::string create_table(const TableSchema& schema, std::string_view database,
                                         std::string_view table) const override {
    std::string columns;
    for (const auto& column : schema.columns) columns += (columns.empty() ? "" : ", ") + mariadb_column(column);
    return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}{}) ENGINE=InnoDB", quote(database, table), columns,
                       key_clause(schema));
  }
  [[nodiscard]] std::string add_column(const Column& column, std::string_view database,
                                       std::string_view table) const override {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, table), mariadb_column(column));
  }
  [[nodiscard]] std::string drop_table(std::string_view database, std::string_view table) const override {
    return "DROP TABLE IF EXISTS " + quote(database, table);
  }
  [[nodiscard]] std::string type_name(const Column& column) const override { return mariadb_type(column); }

  [[nodiscard]] std::string create_ledger(std::string_view database) const override {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} ("
        "task VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "stream INT NOT NULL, "
        "next_offset BIGINT NOT NULL COMMENT 'the first record not yet applied; -1: none was', "
        "epoch BIGINT UNSIGNED NOT NULL, "
        "gtids TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'source transactions applied', "
        "token BIGINT UNSIGNED NOT NULL COMMENT 'grows when an agent takes over', "
        "snapshot LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL "
        "COMMENT 'a snapshot on its way: its id and tables', "
        "last_record BIGINT UNSIGNED NOT NULL COMMENT 'hash of the record before next_offset', "
        "{}, {}, "
        "instance VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
        "PRIMARY KEY (task, topic, stream)) ENGINE=InnoDB COMMENT 'DataSync: how far each stream has been applied'",
        quote(database, "ledger"), kTypesColumn, kAwaitedColumn);
  }
  [[nodiscard]] std::string add_types_to_ledger(std::string_view database) const override {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, "ledger"), kTypesColumn);
  }
  [[nodiscard]] std::string add_awaited_to_ledger(std::string_view database) const override {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, "ledger"), kAwaitedColumn);
  }

 private:
  static constexpr std::string_view kTypesColumn =
      "types TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '?' "
      "COMMENT 'stored so far, by commas; *: all; ?: unknown'";

  static constexpr std::string_view kAwaitedColumn =
      "awaited LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' "
      "COMMENT 'tables whose rows are left out until their next copy begins, each with the request for it'";

  [[nodiscard]] StatementText set(const StatementTable& table, const std::vector<std::uint16_t>& columns) const {
    StatementText out;
    std::string assignments;
    for (const auto index : columns) {
      const Column& column = table.schema->columns[index];
      assignments +=
          (assignments.empty() ? "" : ",") + quote_identifier(column.name) + "=" + sql::placeholder(column, false);
      out.parameters.push_back({StatementText::Image::After, index});
    }
    out.sql = fmt::format("UPDATE {} SET {}", quote(table.database, table.table), assignments);
    add_where(table, out);
    return out;
  }

  static void add_where(const StatementTable& table, StatementText& out) {
    std::string where;
    for (const auto index : table.key) {
      const Column& column = table.schema->columns[index];
      where += fmt::format("{}{}{}{}", where.empty() ? "" : " AND ", quote_identifier(column.name),
                           column.nullable ? "<=>" : "=", sql::placeholder(column, true));
      out.parameters.push_back({StatementText::Image::Key, index});
    }
    out.sql += " WHERE " + where;
  }
};

}  // namespace

std::unique_ptr<Dialect> make_dialect(config::Engine engine) {
  return engine == config::Engine::MariaDB ? std::make_unique<MariaDbDialect>() : nullptr;
}

}  // namespace datasync::apply
