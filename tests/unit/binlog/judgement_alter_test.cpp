#include <gtest/gtest.h>

#include "tests/unit/binlog/judgement_rows.hpp"

namespace datasync::binlog {
namespace {

TEST(Judge, ReadsAlterationsThatKeepAllValues) {
  expect({
      {"ALTER TABLE a", "Definition home.a"},
      {"ALTER TABLE a ADD c int", "Definition home.a added c"},
      {"ALTER TABLE a ADD c int, ALGORITHM=INPLACE, LOCK=NONE", "Definition home.a added c"},
      {"ALTER TABLE a NOWAIT ADD c int NULL DEFAULT NULL AFTER b", "Definition home.a added c"},
      {"ALTER TABLE a ADD c timestamp NULL, ADD d varchar(3) COMMENT 'NOT NULL DEFAULT 5'",
       "Definition home.a added c+d"},
      {"ALTER TABLE a ADD (c decimal(3,1), `d d` enum('x','y') CHARACTER SET latin1, KEY (c))",
       "Definition home.a added c+d d"},
      {"ALTER TABLE a ADD COLUMN `drop partition` int", "Definition home.a added drop partition"},
      {"ALTER TABLE a RENAME INDEX d TO e, ALGORITHM=INPLACE, LOCK=NONE", "Definition home.a"},
      {"ALTER TABLE a ADD INDEX (c), ADD UNIQUE KEY u (d), ADD CHECK (c > 0), ADD FULLTEXT f (e)", "Definition home.a"},
      {"ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES x.b (id) ON DELETE CASCADE", "Definition home.a"},
      {"ALTER TABLE a ADD c INT REFERENCES b (id) ON DELETE SET NULL", "Definition home.a added c"},
      {"ALTER TABLE a ADD VECTOR INDEX (c)", "Definition home.a"},
      {"ALTER TABLE a DROP COLUMN c, DROP INDEX i, DROP FOREIGN KEY f, DROP CONSTRAINT IF EXISTS k",
       "Definition home.a columns c"},
      {"ALTER TABLE a DROP PRIMARY KEY", "Definition home.a key"},
      {"ALTER TABLE a ALTER c SET DEFAULT (5 + 1), ALTER COLUMN d DROP DEFAULT, ALTER INDEX i IGNORED",
       "Definition home.a"},
      {"ALTER TABLE a RENAME INDEX d TO e, RENAME KEY f TO g", "Definition home.a"},
      {"ALTER TABLE a ORDER BY b, c DESC", "Definition home.a"},
      {"ALTER TABLE a ADD c int UNIQUE KEY", "Definition home.a added c"},
      {"ALTER TABLE a ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='x', FORCE", "Definition home.a"},
      {"ALTER TABLE a `PAGE_COMPRESSED`='ON' AUTO_INCREMENT 5", "Definition home.a"},
      {"ALTER TABLE a DEFAULT CHARACTER SET = utf8mb4 COLLATE utf8mb4_bin, DISABLE KEYS", "Definition home.a"},
      {"ALTER TABLE a PARTITION BY RANGE (i) (PARTITION p VALUES LESS THAN (3) ENGINE = InnoDB)", "Definition home.a"},
      {"ALTER TABLE a ADD c INT PARTITION BY HASH (i) PARTITIONS 3", "Definition home.a added c"},
      {"ALTER TABLE a COMMENT 'truncate partition p' REMOVE PARTITIONING", "Definition home.a"},
      {"ALTER TABLE a ADD PARTITION (PARTITION p VALUES IN (1, 2))", "Definition home.a"},
      {"ALTER TABLE a REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (9))", "Definition home.a"},
      {"ALTER TABLE a REBUILD PARTITION p0, p1", "Definition home.a"},
      {"ALTER TABLE a COALESCE PARTITION 2", "Definition home.a"},
      {"OPTIMIZE LOCAL TABLE a, x.b WAIT 5", "Definition home.a, Definition x.b"},
  });
}

TEST(Judge, ReadsAlterationsThatGiveRowsOtherValues) {
  expect({
      {"ALTER TABLE a ADD c int DEFAULT 5", "Values home.a added c"},
      {"ALTER TABLE a ADD COLUMN IF NOT EXISTS c int NOT NULL", "Values home.a added c"},
      {"ALTER TABLE a DROP c, ADD C int", "Values home.a columns c added C"},
      {"ALTER TABLE a WAIT 5 ADD COLUMN (c int, d int DEFAULT '1')", "Values home.a added c+d"},
      {"ALTER TABLE a ADD c int AS (b + 1) STORED", "Values home.a added c"},
      {"ALTER TABLE a ADD c timestamp", "Values home.a added c"},
      {"ALTER TABLE a ADD c int DEFAULT NULL + 5", "Values home.a added c"},
      {"ALTER TABLE a ADD c sometype", "Values home.a added c"},
      {"ALTER TABLE a ADD c SERIAL", "Values home.a added c key"},
      {"ALTER TABLE a ADD PRIMARY KEY (c)", "Values home.a key others"},
      {"ALTER TABLE a DROP PRIMARY KEY, ADD CONSTRAINT PRIMARY KEY (c)", "Values home.a key others"},
      {"ALTER TABLE a ADD c int AUTO_INCREMENT PRIMARY KEY", "Values home.a added c key"},
      {"ALTER TABLE a ADD c int KEY", "Values home.a added c key"},
      {"ALTER TABLE a ADD (c INT, PRIMARY KEY (c))", "Values home.a added c key others"},
      {"ALTER TABLE a ENGINE=InnoDB, MODIFY c datetime", "Values home.a columns c"},
      {"ALTER TABLE a MODIFY c int KEY, ORDER BY d, e", "Values home.a columns c key"},
      {"ALTER TABLE a CHANGE COLUMN IF EXISTS `c` d int", "Values home.a columns c added d"},
      {"ALTER TABLE a CHANGE Name name VARCHAR(20)", "Values home.a columns Name"},
      {"ALTER TABLE a RENAME COLUMN c TO d, RENAME COLUMN e TO f", "Values home.a columns c+e added d+f"},
      {"ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "Values home.a others"},
      {"ALTER TABLE a MODIFY c text, CONVERT TO CHARACTER SET latin1", "Values home.a columns c others"},
      {"ALTER TABLE a CONVERT TO CHARSET DEFAULT", "Values home.a others"},
      {"ALTER TABLE a ADD SYSTEM VERSIONING", "Values home.a others"},
      {"ALTER TABLE a ADD PERIOD FOR p (b, c)", "Values home.a others"},
      {"ALTER TABLE a DROP PERIOD FOR SYSTEM_TIME", "Values home.a others"},
  });
}

TEST(Judge, ReadsAlterationsThatMoveRows) {
  expect({
      {"ALTER TABLE x.a DROP PARTITION p", "Rows x.a"},
      {"ALTER TABLE a DROP PARTITION IF EXISTS p, q", "Rows home.a"},
      {"ALTER TABLE a TRUNCATE PARTITION ALL", "Rows home.a"},
      {"ALTER TABLE archive EXCHANGE PARTITION p0 WITH TABLE x.orders", "Rows home.archive, Rows x.orders"},
      {"ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b WITHOUT VALIDATION", "Rows home.a, Rows home.b"},
      {"ALTER TABLE a CONVERT PARTITION p TO TABLE b", "Rows home.a, Created home.b, Rows home.b"},
      {"ALTER TABLE a CONVERT TABLE x.b TO PARTITION p VALUES LESS THAN (5)", "Rows home.a, Dropped x.b"},
      {"ALTER TABLE a DISCARD TABLESPACE", "Rows home.a"},
      {"ALTER TABLE a IMPORT TABLESPACE", "Rows home.a"},
      {"ALTER TABLE a DROP SYSTEM VERSIONING", "Rows home.a"},
      {"ALTER IGNORE TABLE a ADD UNIQUE (b)", "Rows home.a"},
      {"ALTER ONLINE IGNORE TABLE IF EXISTS a ADD UNIQUE (b)", "Rows home.a"},
      {"ALTER TABLE a ENGINE=BLACKHOLE", "Rows home.a"},
      {"ALTER TABLE a UNION=(b, c)", "Rows home.a"},
      {"ALTER TABLE a SEQUENCE=1", "Rows home.a"},
      {"ALTER TABLE a FROB='x'", "Rows home.a"},
      {"ALTER TABLE a PARTITION BY HASH (i) (PARTITION p ENGINE = BLACKHOLE)", "Rows home.a"},
      {"ALTER TABLE a REPAIR PARTITION p QUICK", "Rows home.a"},
      {"REPAIR TABLE a, x.b QUICK USE_FRM", "Rows home.a, Rows x.b"},
  });
}

}  // namespace
}  // namespace datasync::binlog
