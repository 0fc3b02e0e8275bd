#include "tests/support/ddl_sentences.hpp"

#include <algorithm>

namespace datasync::test {

void DdlSentences::begin() {
  if (w_.chance(4)) w_.words("SET STATEMENT max_statement_time = 100 , lock_wait_timeout = 5 FOR");
}

void DdlSentences::end() {
  if (w_.chance(5)) w_.raw(one_of(" ;", " -- ", " # drop table x", " /* end */"));
}

const DdlTable& DdlSentences::any_partitioned() {
  std::vector<const DdlTable*> all;
  for (const auto& t : tables_)
    if (!t.partitions.empty()) all.push_back(&t);
  return all.empty() ? any_table() : *all[w_.below(all.size())];
}

DdlSentences::Name DdlSentences::any_name() {
  return {options_.databases[w_.below(options_.databases.size())], options_.tables[w_.below(options_.tables.size())]};
}

DdlSentences::Name DdlSentences::existing_name() {
  if (tables_.empty() || w_.chance(10)) return any_name();
  const auto& table = any_table();
  return {table.database, table.name};
}

std::string DdlSentences::column(const DdlTable& table) {
  if (table.columns.size() < 2 || w_.chance(5)) return new_column();
  return table.columns[w_.below(table.columns.size())];
}

std::string DdlSentences::new_column() {
  return std::string(one_of("a", "b", "c", "Name", "größe", "c d", "key", "x`y", "drop", "n"));
}

void DdlSentences::type(bool plain) {
  w_.words(one_of("INT", "BIGINT UNSIGNED", "VARCHAR(20)", "VARCHAR(10) CHARACTER SET latin1", "DECIMAL(10,2)",
                  "DATETIME", "ENUM('x','y,z','it''s')", "TEXT", "CHAR(5) COLLATE utf8mb4_bin", "DATE", "DOUBLE",
                  "JSON"));
  if (plain) {
    w_.words(one_of("", "", "NULL", "DEFAULT NULL", "UNIQUE KEY", "INVISIBLE"));
  } else {
    w_.words(one_of("", "NOT NULL", "DEFAULT 5", "NOT NULL DEFAULT 7", "AS (id + 1) STORED", "DEFAULT (1 + 2)",
                    "NULL DEFAULT 3"));
  }
  if (w_.chance(20)) w_.words("COMMENT").string(one_of("it's, DROP", "a\\", "`x`", "/* y */"));
  if (w_.chance(15)) w_.words("FIRST");
}

void DdlSentences::wait() {
  if (w_.chance(20)) w_.words(one_of("WAIT 5", "NOWAIT"));
}

void DdlSentences::columns() {
  w_.words("(")
      .name("id")
      .words("INT NOT NULL ,")
      .name("a")
      .words("INT ,")
      .name("b")
      .words("VARCHAR(20) DEFAULT 'x' ,");
  w_.words("PRIMARY KEY (").name("id").words(")");
  if (w_.chance(30)) w_.words(", KEY").name("i").words("(").name("a").words(")");
  w_.words(")");
}

void DdlSentences::partitioning() {
  w_.words("PARTITION BY");
  if (w_.chance(30)) {
    w_.words("HASH (id) PARTITIONS 3");
    return;
  }
  w_.words("RANGE (id) ( PARTITION").name("p0").words("VALUES LESS THAN (3) , PARTITION").name("p1");
  w_.words("VALUES LESS THAN (6) , PARTITION").name("p2").words("VALUES LESS THAN MAXVALUE )");
}

void DdlSentences::create_table() {
  w_.words(w_.chance(20) ? "CREATE OR REPLACE TABLE" : w_.chance(30) ? "CREATE TABLE IF NOT EXISTS" : "CREATE TABLE");
  const auto name = w_.chance(85) ? any_name() : existing_name();
  put(name);
  if (!tables_.empty() && w_.chance(20)) {
    const bool brackets = w_.chance(40);
    w_.words(brackets ? "( LIKE" : "LIKE");
    put(any_table());
    if (brackets) w_.words(")");
    return;
  }
  if (!tables_.empty() && w_.chance(15)) {
    w_.words(one_of("AS SELECT * FROM", "SELECT * FROM", "ENGINE = InnoDB SELECT * FROM"));
    put(any_table());
    return;
  }
  columns();
  if (w_.chance(40))
    w_.words(one_of("ENGINE=InnoDB", "ENGINE = MyISAM COMMENT 'x y'", "DEFAULT CHARSET=latin1", "ENGINE=Aria"));
  if (w_.chance(35)) partitioning();
}

void DdlSentences::drop_table() {
  w_.words(one_of("DROP TABLE", "DROP TABLES", "DROP TABLE IF EXISTS", "DROP TABLES IF EXISTS"));
  put(existing_name());
  while (w_.chance(20)) {
    w_.words(",");
    put(existing_name());
  }
  wait();
  if (w_.chance(20)) w_.words(one_of("RESTRICT", "CASCADE"));
}

void DdlSentences::truncate() {
  w_.words(w_.chance(70) ? "TRUNCATE TABLE" : "TRUNCATE");
  put(existing_name());
  wait();
}

void DdlSentences::rename() {
  const auto& from = any_table();
  if (w_.chance(30)) {
    w_.words("ALTER TABLE");
    put(from);
    w_.words(one_of("RENAME", "RENAME TO", "RENAME AS", "RENAME ="));
    put(any_name());
    if (w_.chance(30)) {
      w_.words(",");
      action(from);
    }
    return;
  }
  w_.words(one_of("RENAME TABLE", "RENAME TABLES", "RENAME TABLE IF EXISTS"));
  put(from);
  wait();
  w_.words("TO");
  const auto to = any_name();
  put(to);
  if (w_.chance(50)) {  // the cut-over of a tool, or a swap
    const auto second = existing_name();
    w_.words(",");
    put(second);
    w_.words("TO");
    put(from);
    if (w_.chance(50)) {
      w_.words(",");
      put(to);
      w_.words("TO");
      put(second);
    }
  }
}

void DdlSentences::alter() {
  w_.words(w_.chance(8) ? "ALTER IGNORE TABLE" : w_.chance(8) ? "ALTER ONLINE TABLE" : "ALTER TABLE");
  if (w_.chance(10)) w_.words("IF EXISTS");
  const auto& table = any_table();
  put(table);
  wait();
  action(table);
  while (w_.chance(30)) {
    w_.words(",");
    action(table);
  }
  if (w_.chance(6)) partitioning();
  if (w_.chance(4)) w_.words("REMOVE PARTITIONING");
}

}  // namespace datasync::test
