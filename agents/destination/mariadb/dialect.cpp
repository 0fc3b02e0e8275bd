#include "agents/destination/dialect.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/mariadb/bulk.hpp"
#include "agents/destination/mariadb/cut_values.hpp"
#include "agents/destination/mariadb/key_clause.hpp"
#include "agents/destination/mariadb/types.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::TableSchema;
using sql::quote_identifier;

class MariaDbDialect final : public Dialect {
 public:
  [[nodiscard]] std::string quote(std::string_view database, std::string_view table) const override {
    return quote_identifier(database, table);
  }

  // An agent that is frozen inside a transaction holds the ledger's row: the server ends such a transaction after 10 s.
  [[nodiscard]] std::vector<std::string> session() const override {
    return {
        "SET SESSION idle_transaction_timeout=10, innodb_lock_wait_timeout=20, lock_wait_timeout=15, "
        "system_versioning_alter_history=KEEP"};
  }
  [[nodiscard]] std::string foreign_key_checks(bool on) const override {
    return fmt::format("SET SESSION foreign_key_checks={}", on ? 1 : 0);
  }

  [[nodiscard]] StatementText insert(const StatementTable& table) const override {
    StatementText out;
    std::string columns;
    std::string values;
    for (const auto index : table.written) {
      columns += (columns.empty() ? "" : ",") + name(table, index);
      values += (values.empty() ? "" : ",") + sql::placeholder(table.schema->columns[index], false);
      out.parameters.push_back({StatementText::Image::After, index});
    }
    out.sql = fmt::format("INSERT INTO {} ({}) VALUES ({})", quote(table.database, table.table), columns, values);
    return out;
  }

  // The server also comes here for a row that has another unique value of ours. Its key differs then, and NULL for a
  // column that takes none makes the statement fail instead of changing that row.
  [[nodiscard]] StatementText upsert(const StatementTable& table) const override {
    auto out = insert(table);
    std::string same;
    for (const auto index : table.key)
      same += fmt::format("{}{}=VALUES({})", same.empty() ? "" : " AND ", name(table, index), name(table, index));
    const auto guard = upsert_guard(table);
    const auto first = name(table, guard);
    out.sql += fmt::format(" ON DUPLICATE KEY UPDATE {}=IF({}, VALUES({}), NULL)", first, same, first);
    for (const auto index : table.written) {
      if (index != guard) out.sql += fmt::format(",{}=VALUES({})", name(table, index), name(table, index));
    }
    return out;
  }

  [[nodiscard]] StatementText update(const StatementTable& table) const override {
    std::vector<std::uint16_t> columns;
    std::ranges::copy_if(table.written, std::back_inserter(columns),
                         [&](auto c) { return std::ranges::find(table.key, c) == table.key.end(); });
    return set(table, columns.empty() || table.key_updates_itself ? table.written : columns);
  }
  [[nodiscard]] StatementText move(const StatementTable& table) const override { return set(table, table.written); }

  [[nodiscard]] StatementText erase(const StatementTable& table) const override {
    StatementText out;
    out.sql = fmt::format("DELETE FROM {}", quote(table.database, table.table));
    add_where(table, out);
    return out;
  }
  [[nodiscard]] std::string delete_batch(std::string_view database, std::string_view table) const override {
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
  [[nodiscard]] std::string modify_column(const Column& column, std::string_view attributes, std::string_view database,
                                          std::string_view table) const override {
    return fmt::format("ALTER TABLE {} MODIFY COLUMN {}", quote(database, table),
                       attributes.empty()
                           ? mariadb_column(column)
                           : fmt::format("{} {}{} {}", quote_identifier(column.name), mariadb_type(column),
                                         column.nullable ? " NULL" : " NOT NULL", attributes));
  }
  [[nodiscard]] std::string replace_column(const Column& column, std::string_view database,
                                           std::string_view table) const override {
    return fmt::format("ALTER TABLE {} DROP COLUMN {}, ADD COLUMN {}", quote(database, table),
                       quote_identifier(column.name), mariadb_column(column));
  }
  [[nodiscard]] std::string replace_key(const TableSchema& schema, std::string_view database,
                                        std::string_view table) const override {
    const auto key = key_clause(schema);
    return fmt::format("ALTER TABLE {} DROP PRIMARY KEY{}{}", quote(database, table), key.empty() ? "" : ", ADD ",
                       key.empty() ? "" : key.substr(2));
  }
  [[nodiscard]] std::string cut_values(const Column& column) const override { return mariadb_cut_values(column); }
  [[nodiscard]] std::string values_for_null(const Column& column) const override {
    return mariadb_values_for_null(column);
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
        "{}, {}, {}, "
        "instance VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
        "PRIMARY KEY (task, topic, stream)) ENGINE=InnoDB COMMENT 'DataSync: how far each stream has been applied'",
        quote(database, "ledger"), kTypesColumn, kAwaitedColumn, kHeldColumn);
  }
  [[nodiscard]] std::string create_known_tables(std::string_view database) const override {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} ("
        "task VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "stream INT NOT NULL, "
        "target VARCHAR(129) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'database.table here', "
        "source VARCHAR(129) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'database.table at the "
        "source', "
        "schema_id BIGINT UNSIGNED NOT NULL COMMENT 'the definition its rows had last', "
        "columns LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'written, one a line', "
        "actions LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL "
        "COMMENT 'foreign keys that change its rows, one a line', "
        "created LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL "
        "COMMENT 'CREATE_TIME of the table, or lost and the columns that it lost', "
        "has_rows BOOLEAN NOT NULL COMMENT 'rows were stored', "
        "filled LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' "
        "COMMENT 'columns that had values of their own, one a line', "
        "definition LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' "
        "COMMENT 'of the columns written, for the agent; and created', "
        "updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
        "PRIMARY KEY (task, topic, stream, target)) ENGINE=InnoDB "
        "COMMENT 'DataSync: the tables that each stream has written'",
        quote(database, "tables"));
  }
  [[nodiscard]] std::string create_held(std::string_view database) const override {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} ("
        "task VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "stream INT NOT NULL, "
        "destination_table VARCHAR(129) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "source_table VARCHAR(129) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "message TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "next_offset BIGINT NOT NULL COMMENT 'the first record of which nothing is applied to this table', "
        "epoch BIGINT UNSIGNED NOT NULL, "
        "gtids TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "snapshot LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "last_record BIGINT UNSIGNED NOT NULL, "
        "refused_at BIGINT NOT NULL COMMENT 'the record with which the table was refused last', "
        "since BIGINT NOT NULL COMMENT 'unix seconds', "
        "tries BIGINT UNSIGNED NOT NULL, "
        "awaited LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
        "PRIMARY KEY (task, topic, stream, source_table)) ENGINE=InnoDB "
        "COMMENT 'DataSync: tables that wait while the rest of their stream is applied'",
        quote(database, "held"));
  }
  [[nodiscard]] std::string create_instances(std::string_view database) const override {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} ("
        "task VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
        "topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "instance VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
        "`rank` BIGINT UNSIGNED NOT NULL COMMENT 'grows: the highest may write', "
        "first_claim TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), "
        "PRIMARY KEY (task, topic, instance), UNIQUE (task, topic, `rank`)) "
        "ENGINE=InnoDB COMMENT 'DataSync: the instances of apply agents by age'",
        quote(database, "instances"));
  }
  [[nodiscard]] std::string add_types_to_ledger(std::string_view database) const override {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, "ledger"), kTypesColumn);
  }
  [[nodiscard]] std::string add_awaited_to_ledger(std::string_view database) const override {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, "ledger"), kAwaitedColumn);
  }
  [[nodiscard]] std::string add_held_to_ledger(std::string_view database) const override {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", quote(database, "ledger"), kHeldColumn);
  }

 private:
  static constexpr std::string_view kHeldColumn =
      "held LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '?' "
      "COMMENT 'source tables that have a row in held, one a line; ?: unknown'";

  static constexpr std::string_view kTypesColumn =
      "types TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '?' "
      "COMMENT 'stored so far, by commas; *: all; ?: unknown'";

  static constexpr std::string_view kAwaitedColumn =
      "awaited LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' "
      "COMMENT 'tables whose rows are left out until their next copy begins, each with the request for it'";

  static std::string name(const StatementTable& table, std::uint16_t index) {
    return quote_identifier(table.there[index].name);
  }

  [[nodiscard]] StatementText set(const StatementTable& table, const std::vector<std::uint16_t>& columns) const {
    StatementText out;
    std::string assignments;
    for (const auto index : columns) {
      assignments += (assignments.empty() ? "" : ",") + name(table, index) + "=" +
                     sql::placeholder(table.schema->columns[index], false);
      out.parameters.push_back({StatementText::Image::After, index});
    }
    out.sql = fmt::format("UPDATE {} SET {}", quote(table.database, table.table), assignments);
    add_where(table, out);
    return out;
  }

  // Compared as the destination's column compares, or its index could not be used.
  static void add_where(const StatementTable& table, StatementText& out) {
    std::string where;
    for (const auto index : table.key) {
      Column column = table.schema->columns[index];
      const Column& there = table.there[index];
      if (!there.charset.empty()) column.charset = there.charset;
      if (!there.collation.empty()) column.collation = there.collation;
      where += fmt::format("{}{}{}{}", where.empty() ? "" : " AND ", name(table, index), column.nullable ? "<=>" : "=",
                           sql::placeholder(column, true));
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
