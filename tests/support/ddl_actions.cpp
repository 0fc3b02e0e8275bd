// The rest of the sentences: actions of ALTER TABLE, partitions, and statements that are not about one table.

#include "tests/support/ddl_sentences.hpp"

namespace datasync::test {

void DdlSentences::action(const DdlTable& table) {
  switch (w_.below(22)) {
    case 0:
    case 1:
    case 2:
      w_.words(one_of("ADD", "ADD COLUMN", "ADD COLUMN IF NOT EXISTS")).name(new_column());
      type(true);
      return;
    case 3:
      w_.words("ADD COLUMN").name(new_column());
      type(false);
      return;
    case 4:
      w_.words("ADD (").name("e").words("INT ,").name("f").words("VARCHAR(5) )");
      return;
    case 5:
    case 6:
      w_.words(one_of("DROP", "DROP COLUMN", "DROP COLUMN IF EXISTS")).name(column(table));
      return;
    case 7:
    case 8:
      w_.words(one_of("MODIFY", "MODIFY COLUMN", "MODIFY IF EXISTS")).name(column(table));
      type(w_.chance(50));
      return;
    case 9:
      w_.words(one_of("CHANGE", "CHANGE COLUMN")).name(column(table)).name(new_column());
      type(w_.chance(50));
      return;
    case 10:
      w_.words("RENAME COLUMN").name(column(table)).words("TO").name(new_column());
      return;
    case 11:
      w_.words(one_of("ALTER", "ALTER COLUMN")).name(column(table)).words(one_of("SET DEFAULT 9", "DROP DEFAULT"));
      return;
    case 12:
      w_.words(one_of("ADD INDEX", "ADD KEY", "ADD UNIQUE KEY", "ADD UNIQUE")).name("i" + std::to_string(w_.below(3)));
      w_.words("(").name(column(table)).words(")");
      return;
    case 13:
      w_.words(one_of("DROP INDEX IF EXISTS", "DROP KEY")).name("i" + std::to_string(w_.below(3)));
      return;
    case 14:
      w_.words("CONVERT TO CHARACTER SET").words(one_of("latin1", "utf8mb4", "utf8mb4 COLLATE utf8mb4_bin"));
      return;
    case 15:
      w_.words("COMMENT").string(one_of("DROP PARTITION p0", "it's", "\\", "x' , DISCARD TABLESPACE"));
      return;
    case 16:
      w_.words(
          one_of("ENGINE=InnoDB", "ENGINE MyISAM", "FORCE", "ROW_FORMAT=DYNAMIC AUTO_INCREMENT=10", "ENGINE=Aria"));
      return;
    case 17:
      w_.words("DEFAULT CHARACTER SET latin1");
      return;
    case 18:
      w_.words(one_of("DROP PRIMARY KEY", "ADD PRIMARY KEY (id)", "DROP PRIMARY KEY , ADD PRIMARY KEY (id)"));
      return;
    case 19:
      w_.words("ADD CONSTRAINT").name("chk").words("CHECK (").name(column(table)).words("<> 17 )");
      return;
    case 20:
      w_.words(one_of("ADD FOREIGN KEY (a) REFERENCES", "ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES"));
      put(any_table());
      w_.words("(").name("id").words(") ON DELETE CASCADE");
      return;
    default:
      w_.words(one_of("ALGORITHM=COPY", "LOCK=DEFAULT", "ORDER BY id", "DISABLE KEYS", "ENABLE KEYS"));
  }
}

void DdlSentences::partitions() {
  const auto& table = any_partitioned();
  w_.words("ALTER TABLE");
  put(table);
  const auto partition =
      table.partitions.empty() ? std::string("p0") : table.partitions[w_.below(table.partitions.size())];
  switch (w_.below(12)) {
    case 0:
      w_.words(one_of("DROP PARTITION", "DROP PARTITION IF EXISTS")).name(partition);
      return;
    case 1:
      w_.words("TRUNCATE PARTITION");
      if (w_.chance(30))
        w_.words("ALL");
      else
        w_.name(partition);
      return;
    case 2:
    case 3:
    case 4:
      w_.words("EXCHANGE PARTITION").name(partition).words("WITH TABLE");
      put(existing_name());
      return;
    case 5:
      w_.words("CONVERT PARTITION").name(partition).words("TO TABLE");
      put(any_name());
      return;
    case 6:
      w_.words("CONVERT TABLE");
      put(existing_name());
      w_.words("TO PARTITION").name("p9").words("VALUES LESS THAN (100)");
      return;
    case 7:
      w_.words("REORGANIZE PARTITION").name("p0").words(",").name("p1").words("INTO ( PARTITION").name("p0");
      w_.words("VALUES LESS THAN (2) , PARTITION").name("p1").words("VALUES LESS THAN (6) )");
      return;
    case 8:
      w_.words(one_of("REBUILD PARTITION", "OPTIMIZE PARTITION", "ANALYZE PARTITION", "REPAIR PARTITION"))
          .name(partition);
      return;
    case 9:
      w_.words(one_of("COALESCE PARTITION 1", "ADD PARTITION PARTITIONS 1", "REMOVE PARTITIONING"));
      return;
    case 10:
      w_.words("ADD PARTITION ( PARTITION").name("p7").words("VALUES LESS THAN (1000) )");
      return;
    default:
      partitioning();
  }
}

void DdlSentences::index() {
  const auto& table = any_table();
  if (!table.indexes.empty() && w_.chance(50)) {
    w_.words(one_of("DROP INDEX", "DROP INDEX IF EXISTS"))
        .name(table.indexes[w_.below(table.indexes.size())])
        .words("ON");
    put(table);
    if (w_.chance(30)) w_.words("ALGORITHM=COPY");
    return;
  }
  w_.words(one_of("CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE OR REPLACE INDEX", "CREATE INDEX IF NOT EXISTS"));
  w_.name("i" + std::to_string(w_.below(3))).words("ON");
  put(table);
  w_.words("(").name(column(table)).words(")");
}

void DdlSentences::maintenance() {
  w_.words(one_of("OPTIMIZE TABLE", "ANALYZE TABLE", "REPAIR TABLE", "FLUSH TABLES", "ANALYZE LOCAL TABLE"));
  put(existing_name());
  if (w_.chance(30)) {
    w_.words(",");
    put(existing_name());
  }
}

/// What stores text, and changes no table when it is made.
void DdlSentences::program() {
  switch (w_.below(6)) {
    case 0:
      w_.words("CREATE OR REPLACE PROCEDURE").name("p").words("( ) BEGIN TRUNCATE TABLE");
      put(any_table());
      w_.words("; END");
      return;
    case 1:
      w_.words("CREATE OR REPLACE VIEW").table(out_.database, "v").words("AS SELECT id FROM");
      put(any_table());
      return;
    case 2:
      w_.words("CREATE OR REPLACE DEFINER = CURRENT_USER EVENT")
          .name("e")
          .words("ON SCHEDULE EVERY 1 DAY DISABLE DO TRUNCATE");
      put(any_table());
      return;
    case 3:
      w_.words("DROP VIEW IF EXISTS");
      put(existing_name());
      return;
    case 4:
      w_.words("GRANT SELECT ON");
      put(any_table());
      w_.words("TO root@127.0.0.1");
      return;
    default:
      w_.words("CREATE OR REPLACE TRIGGER").name("t").words("BEFORE DELETE ON");
      put(any_table());
      w_.words("FOR EACH ROW SET @x = 1");
  }
}

void DdlSentences::temporary() {
  if (w_.chance(50)) {
    w_.words(one_of("CREATE TEMPORARY TABLE", "CREATE OR REPLACE TEMPORARY TABLE"));
    put(w_.chance(70) ? existing_name() : any_name());  // it hides a table
    columns();
    return;
  }
  w_.words("DROP TEMPORARY TABLE IF EXISTS");
  put(existing_name());
}

void DdlSentences::database() {
  const auto& name = options_.databases[w_.below(options_.databases.size())];
  switch (w_.below(5)) {
    case 0:
      w_.words(one_of("DROP DATABASE", "DROP SCHEMA IF EXISTS")).name(name);
      return;
    case 1:
      w_.words("CREATE OR REPLACE DATABASE").name(name);
      return;
    case 2:
      w_.words("ALTER DATABASE").name(name).words("CHARACTER SET = utf8mb4");
      return;
    default:
      w_.words("CREATE DATABASE IF NOT EXISTS").name(name);
  }
}

void DdlSentences::exotic() {
  switch (w_.below(7)) {
    case 0:
      w_.words(one_of("CREATE OR REPLACE SEQUENCE", "CREATE SEQUENCE IF NOT EXISTS"));
      put(any_name());
      return;
    case 1:
      w_.words(one_of("DROP SEQUENCE IF EXISTS", "DROP SEQUENCE"));
      put(existing_name());
      return;
    case 2:
      w_.words("CREATE OR REPLACE VIEW");
      put(any_name());
      w_.words("AS SELECT 1 AS id");
      return;
    case 3:
      w_.words("ALTER TABLE");
      put(any_table());
      w_.words(one_of("ADD SYSTEM VERSIONING", "DROP SYSTEM VERSIONING"));
      return;
    case 4:
      w_.words("ALTER TABLE");
      put(any_table());
      w_.words("ENGINE = BLACKHOLE");
      return;
    case 5:
      w_.words("ALTER TABLE");
      put(any_table());
      w_.words("DISCARD TABLESPACE");
      return;
    default:
      w_.words("ALTER TABLE");
      put(any_table());
      w_.words("ENGINE = MEMORY , COMMENT = 'm'");
  }
}

}  // namespace datasync::test
