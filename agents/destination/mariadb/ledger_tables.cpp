#include "agents/destination/mariadb/ledger_tables.hpp"

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"

namespace datasync::apply {
namespace {

constexpr std::string_view kHeldColumn =
    "held LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '?' "
    "COMMENT 'source tables that have a row in held, one a line; ?: unknown'";

constexpr std::string_view kTypesColumn =
    "types TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '?' "
    "COMMENT 'stored so far, by commas; *: all; ?: unknown'";

constexpr std::string_view kAwaitedColumn =
    "awaited LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' "
    "COMMENT 'tables whose rows are left out until their next copy begins, each with the request for it'";

}  // namespace

std::string create_ledger(std::string_view database) {
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
      sql::quote_identifier(database, "ledger"), kTypesColumn, kAwaitedColumn, kHeldColumn);
}

std::string create_known_tables(std::string_view database) {
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
      sql::quote_identifier(database, "tables"));
}

std::string create_held(std::string_view database) {
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
      sql::quote_identifier(database, "held"));
}

std::string create_instances(std::string_view database) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} ("
      "task VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
      "topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
      "instance VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
      "`rank` BIGINT UNSIGNED NOT NULL COMMENT 'grows: the highest may write', "
      "first_claim TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), "
      "PRIMARY KEY (task, topic, instance), UNIQUE (task, topic, `rank`)) "
      "ENGINE=InnoDB COMMENT 'DataSync: the instances of apply agents by age'",
      sql::quote_identifier(database, "instances"));
}

std::vector<AddedColumn> added_to_ledger(std::string_view database) {
  const auto add = [&](std::string_view column) {
    return fmt::format("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {}", sql::quote_identifier(database, "ledger"), column);
  };
  return {{"types", add(kTypesColumn)}, {"awaited", add(kAwaitedColumn)}, {"held", add(kHeldColumn)}};
}

std::vector<AddedColumn> added_to_known_tables(std::string_view database) {
  const auto add = [&](std::string_view column) {
    return fmt::format(
        "ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL "
        "DEFAULT ''",
        sql::quote_identifier(database, "tables"), column);
  };
  return {{"filled", add("filled")}, {"definition", add("definition")}};
}

}  // namespace datasync::apply
