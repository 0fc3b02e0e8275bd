#include <gtest/gtest.h>

#include "tests/unit/binlog/judgement_text.hpp"

namespace datasync::binlog {
namespace {

TEST(Judge, ReadsEveryFormOfATablesName) {
  expect({
      {"TRUNCATE t", "Truncated home.t"},
      {"truncate table db.t", "Truncated db.t"},
      {"TRUNCATE TABLE db . t", "Truncated db.t"},
      {"TRUNCATE TABLE db\n.\tt", "Truncated db.t"},
      {"TRUNCATE TABLE .t", "Truncated home.t"},
      {"TRUNCATE TABLE .`t`", "Truncated home.t"},
      {"TRUNCATE TABLE . `t`", "Truncated home.t"},
      {"TRUNCATE `t`", "Truncated home.t"},
      {"TRUNCATE`db`.`t`", "Truncated db.t"},
      {"TRUNCATE `o``dd`.`t t`", "Truncated o`dd.t t"},
      {"TRUNCATE `a.b`", "Truncated home.a.b"},
      {"TRUNCATE `größe`", "Truncated home.größe"},
      {"TRUNCATE größe", "Truncated home.größe"},
      {"TRUNCATE 1t", "Truncated home.1t"},
      {"TRUNCATE db.1e5", "Truncated db.1e5"},
      {"TRUNCATE $t", "Truncated home.$t"},
      {"TRUNCATE db.select", "Truncated db.select"},
      {"TRUNCATE TABLE nowait NOWAIT", "Truncated home.nowait"},
      {"TRUNCATE \"t\"", "?"},
      {"TRUNCATE t.", "?"},
      {"TRUNCATE ``", "?"},
      {"TRUNCATE TABLE", "?"},
      {"TRUNCATE", "?"},
      {"TRUNCATE `t", "Truncated home.t, ?"},
  });
}

TEST(Judge, QuotesAsTheSqlModeSays) {
  StatementContext ansi;
  ansi.quoting.ansi_quotes = true;
  expect({{R"(TRUNCATE "db"."t")", "Truncated db.t"},
          {R"(TRUNCATE "d""b"."t\")", R"(Truncated d"b.t\)"},
          {R"(DROP TABLE "a", `b`)", "Dropped home.a, Dropped home.b"}},
         ansi);
  StatementContext mssql;
  mssql.quoting.brackets = true;
  expect({{"TRUNCATE [d]]b].[t]", "Truncated d]b.t"}}, mssql);
  expect({{R"(ALTER TABLE t COMMENT 'it\'s', DROP PARTITION p)", "Rows home.t"},
          {R"(ALTER TABLE t COMMENT 'a\', DISCARD TABLESPACE -- ')", "Definition home.t"}});
  StatementContext no_escapes;
  no_escapes.quoting.no_backslash_escapes = true;
  expect({{R"(ALTER TABLE t COMMENT 'a\', DISCARD TABLESPACE -- ')", "Rows home.t"}}, no_escapes);
  StatementContext unknown;
  unknown.quoting_known = false;
  expect({{"TRUNCATE t", "Truncated home.t"}, {R"(ALTER TABLE t COMMENT "x")", "Definition home.t, ?"}}, unknown);
}

TEST(Judge, ReadsNamesInTheClientsCharacterSet) {
  StatementContext latin1;
  latin1.charset = "latin1";
  expect({{"TRUNCATE gr\xF6\xDF"
           "e",
           "Truncated home.größe"},
          {"TRUNCATE `gr\xF6\xDF"
           "e`",
           "Truncated home.größe"},
          {"TRUNCATE\xA0t", "Truncated home.t"}},
         latin1);
  StatementContext gbk;
  gbk.charset = "gbk";
  gbk.to_utf8 = [](std::string_view charset, std::string_view bytes) -> std::optional<std::string> {
    EXPECT_EQ(charset, "gbk");
    if (bytes == "\x81`") return "乣";
    return std::nullopt;
  };
  // The second byte of the first character looks like a quote, that of the second like a backslash.
  expect({{"TRUNCATE `\x81``", "Truncated home.乣"},
          {"ALTER TABLE t COMMENT '\x95\\', DISCARD TABLESPACE", "Rows home.t"},
          {"TRUNCATE \xC4\xE3", "?"}},
         gbk);
  StatementContext unknown;
  unknown.charset = "";
  expect({{"TRUNCATE t", "Truncated home.t"}, {"TRUNCATE \xC4\xE3", "?"}, {"GRANT ALL ON *.* TO \xC4\xE3", "?"}},
         unknown);
  StatementContext swe7;
  swe7.charset = "swe7";
  expect({{"TRUNCATE t", "?"}}, swe7);
}

TEST(Judge, ReadsComments) {
  expect({
      {"TRUNCATE /* x */ TABLE # y\n t -- z", "Truncated home.t"},
      {"/*!50000 TRUNCATE*/ t", "Truncated home.t"},
      {"/*M!100100 TRUNCATE*/ t", "Truncated home.t"},
      {"TRUNCATE /*! TABLE */ /*M! t */", "Truncated home.t"},
      {"TRUNCATE /*!50000 /* inner */ t */", "Truncated home.t"},
      {"DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `tt`", "harmless"},
      {"DROP /*!50701 TEMPORARY */ TABLE t", "Dropped home.t, ?"},
      {"DROP TABLE a --b", "Dropped home.a, ?"},
      {"DROP TABLE a --\x01, b", "Dropped home.a"},
      {"DROP TABLE a --\n, b", "Dropped home.a, Dropped home.b"},
      {"DROP TABLE a /* , b", "Dropped home.a, ?"},
      {"DROP TABLE a /*! , b", "Dropped home.a, Dropped home.b, ?"},
      {"DROP TABLE a */", "Dropped home.a, ?"},
      {"# Dummy event replacing event type 160 that slave cannot handle.", "harmless"},
  });
}

TEST(Judge, ReadsTransactions) {
  expect({
      {"BEGIN", "Begin"},
      {"begin work", "Begin"},
      {"START TRANSACTION READ WRITE", "Begin"},
      {"COMMIT", "Commit"},
      {" commit /* x */ ;", "Commit"},
      {"COMMIT WORK AND NO CHAIN NO RELEASE", "Commit"},
      {"ROLLBACK", "Rollback"},
      {"ROLLBACK TO `s1`", "RollbackTo"},
      {"rollback work to savepoint s", "RollbackTo"},
      {"SAVEPOINT `s1`", "Savepoint"},
      {"RELEASE SAVEPOINT x", "Savepoint"},
      {"XA START X'61',X'',1", "XaStart"},
      {"XA BEGIN 'a' JOIN", "XaStart"},
      {"XA END X'61',X'',1", "XaEnd"},
      {"XA PREPARE X'61',X'',1", "XaPrepare"},
      {"XA COMMIT X'61',X'',1 ONE PHASE", "XaCommit"},
      {"xa rollback X'61'", "XaRollback"},
      {"XA RECOVER", "harmless"},
      {"BEGIN NOT ATOMIC TRUNCATE t; END", "rows of any table, ?"},
      {"BEGIN; TRUNCATE t", "?"},
      {"COMMIT t", "?"},
  });
}

TEST(Judge, TakesWhatIsProvedHarmlessAsHarmless) {
  expect({
      {"", "harmless"},
      {" ; ; ", "harmless"},
      {"-- nothing\n", "harmless"},
      {"GRANT ALL ON home.t TO x@'%' IDENTIFIED BY ';'", "harmless"},
      {"REVOKE ALL ON t FROM x", "harmless"},
      {"SET PASSWORD FOR 'a'@'b'=PASSWORD('')", "harmless"},
      {"SET DEFAULT ROLE r FOR u", "harmless"},
      {"SET @a = 1, b = 'x'", "harmless"},
      {"FLUSH TABLES t", "harmless"},
      {"ANALYZE TABLE t PERSISTENT FOR ALL", "harmless"},
      {"ANALYZE NO_WRITE_TO_BINLOG TABLE t", "harmless"},
      {"CREATE USER a@b", "harmless"},
      {"CREATE OR REPLACE USER a", "harmless"},
      {"DROP ROLE r", "harmless"},
      {"RENAME USER a TO b", "harmless"},
      {"CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')", "harmless"},
      {"CREATE DEFINER=`root`@`localhost` TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN DELETE FROM u; END",
       "harmless"},
      {"CREATE OR REPLACE DEFINER = CURRENT_USER() PROCEDURE p() BEGIN TRUNCATE t; DROP TABLE t; END", "harmless"},
      {"CREATE DEFINER=r AGGREGATE FUNCTION f(x INT) RETURNS INT RETURN 1", "harmless"},
      {"CREATE FUNCTION f RETURNS STRING SONAME 'x.so'", "harmless"},
      {"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO TRUNCATE t", "harmless"},
      {"ALTER DEFINER=a@b EVENT e RENAME TO t", "harmless"},
      {"CREATE PACKAGE BODY p AS END", "harmless"},
      {"DROP TRIGGER IF EXISTS home.x", "harmless"},
      {"DROP PROCEDURE p", "harmless"},
      {"CREATE DATABASE IF NOT EXISTS d CHARACTER SET utf8mb4", "harmless"},
      {"ALTER DATABASE d CHARACTER SET utf8mb4", "harmless"},
      {"ALTER DATABASE COLLATE utf8mb4_bin", "harmless"},
      {"CREATE TEMPORARY TABLE t (a INT) ENGINE=MEMORY", "harmless"},
      {"CREATE OR REPLACE TEMPORARY TABLE t LIKE u", "harmless"},
      {"DROP TEMPORARY TABLE IF EXISTS `t`,`db`.`u` /* generated by server */", "harmless"},
      {"INSTALL SONAME 'x'", "harmless"},
      {"UNINSTALL PLUGIN x", "harmless"},
  });
}

TEST(Judge, NeverTakesWhatItDoesNotUnderstandAsHarmless) {
  expect({
      {"an unknown statement", "?"},
      {"GRANT ALL ON t TO x; TRUNCATE t", "?"},
      {"GRANT ALL ON `t", "?"},
      {"SET @a = f()", "?"},
      {"SET STATEMENT max_statement_time=1", "?"},
      {"DROP TEMPORARY TABLE t, u v", "?"},
      {"DROP TEMPORARY TABLE t ; DROP TABLE t", "?"},
      {"CREATE CATALOG x", "?"},
      {"ANALYZE FORMAT=JSON UPDATE t SET a = 1", "rows by statement, ?"},
      {"TRUNCATE t u", "Truncated home.t, ?"},
      {"TRUNCATE t, u", "Truncated home.t, ?"},
      {"TRUNCATE t; TRUNCATE u", "Truncated home.t, ?"},
      {"DROP TABLE t u", "Dropped home.t, ?"},
      {"RENAME TABLE a TO b, c", "Dropped home.a, Moved home.b (was home.a), ?"},
      {"ALTER TABLE t an unknown action", "Rows home.t, ?"},
      {"ALTER TABLE t ADD c INT, FROBNICATE TABLE u", "Rows home.t added c, ?"},
      {"ALTER TABLE", "?"},
      {"CREATE TABLE t (a INT) FROB (x", "Created home.t, Rows home.t, ?"},
  });
  StatementContext nowhere;
  EXPECT_EQ(text(judge("TRUNCATE t", nowhere)), "?") << "there is no default database";
}

TEST(Judge, ReadsSettingsOfOneStatement) {
  expect({
      {"SET STATEMENT max_statement_time=10 FOR TRUNCATE t", "Truncated home.t"},
      {"SET STATEMENT a=(SELECT 1 FOR UPDATE), b='FOR' FOR SET STATEMENT c=1 FOR DROP TABLE t", "Dropped home.t"},
      {"SET STATEMENT sql_mode='' FOR TRUNCATE t", "Truncated home.t"},
      {"SET STATEMENT sql_mode='ANSI_QUOTES' FOR TRUNCATE \"t\"", "?"},
      {"SET STATEMENT sql_mode='' FOR INSERT INTO a VALUES (1)", "rows by statement, ?"},
  });
}

TEST(Judge, ReadsWhatDropsTables) {
  expect({
      {"DROP TABLE IF EXISTS `a`,`x`.`b` /* generated by server */", "Dropped home.a, Dropped x.b"},
      {"drop tables .a, x . b WAIT 5 CASCADE", "Dropped home.a, Dropped x.b"},
      {"DROP TABLE a NOWAIT RESTRICT", "Dropped home.a"},
      {"DROP DATABASE IF EXISTS `d b`", "Dropped d b."},
      {"drop schema s", "Dropped s."},
      {"CREATE OR REPLACE DATABASE d", "Dropped d."},
      {"ALTER DATABASE `#mysql50#d` UPGRADE DATA DIRECTORY NAME", "Rows #mysql50#d., ?"},
      {"DROP VIEW IF EXISTS a, b", "Definition home.a, Definition home.b"},
      {"DROP SEQUENCE s", "Definition home.s"},
      {"DROP INDEX i ON a ALGORITHM=INPLACE LOCK=NONE", "Definition home.a"},
      {"DROP INDEX IF EXISTS `PRIMARY` ON x.a", "Definition x.a key"},
  });
}

TEST(Judge, ResolvesRenames) {
  expect({
      {"RENAME TABLE a TO b", "Dropped home.a, Moved home.b (was home.a)"},
      {"RENAME TABLES IF EXISTS a NOWAIT TO x.b, c WAIT 3 TO .d",
       "Dropped home.a, Dropped home.c, Moved x.b (was home.a), Moved home.d (was home.c)"},
      {"RENAME TABLE t TO _t_del, _t_gho TO t",
       "Dropped home._t_gho, Moved home._t_del (was home.t), Moved home.t (was home._t_gho)"},
      {"RENAME TABLE a TO tmp, b TO a, tmp TO b",
       "Dropped home.tmp, Moved home.a (was home.b), Moved home.b (was home.a)"},
      {"RENAME TABLE a TO b, b TO a", "Dropped home.b, Definition home.a"},
      {"ALTER TABLE a RENAME TO x.b", "Definition home.a, Dropped home.a, Moved x.b (was home.a)"},
      {"ALTER TABLE a RENAME b, ADD c INT", "Definition home.a added c, Dropped home.a, Moved home.b (was home.a)"},
      {"ALTER TABLE a RENAME = b", "Definition home.a, Dropped home.a, Moved home.b (was home.a)"},
      {"ALTER TABLE a RENAME AS .a", "Definition home.a"},
  });
  StatementContext folded;
  folded.names = base::TableNames(1);
  expect({{"RENAME TABLE A TO tmp, b TO a",
           "Dropped home.A, Dropped home.b, Moved home.tmp (was home.A), Moved home.a (was home.b)"}});
  expect({{"RENAME TABLE A TO tmp, b TO a", "Dropped home.b, Moved home.tmp (was home.A), Moved home.a (was home.b)"},
          {"ALTER TABLE T RENAME TO t", "Definition home.T"}},
         folded);
}

TEST(Judge, ReadsWhatCreatesTables) {
  expect({
      {"CREATE TABLE IF NOT EXISTS a (i INT, KEY (i)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x'",
       "Created home.a"},
      {"CREATE TABLE x.a LIKE b", "Created x.a"},
      {"CREATE TABLE a (LIKE b)", "Created home.a"},
      {"CREATE OR REPLACE TABLE `a` (`i` int(11)) ENGINE=InnoDB", "Created home.a replaced"},
      {"CREATE TABLE a (i INT) PARTITION BY HASH (i) PARTITIONS 4", "Created home.a"},
      {"CREATE TABLE a (i INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION p HISTORY, PARTITION q "
       "CURRENT)",
       "Created home.a"},
      {"CREATE TABLE a (i INT) ENGINE=MERGE UNION=(b, c)", "Created home.a, Rows home.a"},
      {"CREATE TABLE a (i INT) ENGINE=FEDERATED CONNECTION='mysql://x'", "Created home.a, Rows home.a"},
      {"create table a as select * from b", "Created home.a, Statement home.a, rows by statement, ?"},
      {"CREATE TABLE a (VALUES (1))", "Created home.a, Statement home.a, rows by statement, ?"},
      {"CREATE TABLE a (i INT) ENGINE=InnoDB IGNORE SELECT 1",
       "Created home.a, Statement home.a, rows by statement, ?"},
      {"CREATE TABLE a WITH x AS (SELECT 1) SELECT * FROM x", "Created home.a, Statement home.a, rows by statement, ?"},
      {"CREATE TEMPORARY TABLE a SELECT f()", "rows by statement, ?"},
      {"CREATE OR REPLACE SEQUENCE s START WITH 5", "Created home.s replaced"},
      {"CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a`@`b` SQL SECURITY INVOKER VIEW v AS SELECT 1; ",
       "Definition home.v"},
      {"CREATE UNIQUE INDEX IF NOT EXISTS i USING BTREE ON x.a (b, c(10)) COMMENT 'x' ALGORITHM=NOCOPY",
       "Definition x.a"},
  });
}

TEST(Judge, ReadsChangesOfRowsByStatement) {
  expect({
      {"insert into a values (1)", "rows by statement, ?"},
      {"UPDATE a SET b=1", "rows by statement, ?"},
      {"LOAD DATA INFILE 'x' INTO TABLE a", "rows by statement, ?"},
      {"WITH x AS (SELECT 1) DELETE FROM a", "rows by statement, ?"},
      {"CALL p()", "rows of any table, ?"},
      {"SELECT f()", "rows of any table, ?"},
      {"(SELECT f())", "rows of any table, ?"},
  });
}

TEST(Judge, TakesAFailedStatementAsOneThatMayHaveHappened) {
  StatementContext failed;
  failed.failed = true;
  expect({{"TRUNCATE t", "Rows home.t"},
          {"DROP TABLE a, b", "Rows home.a, Rows home.b"},
          {"RENAME TABLE a TO b", "Rows home.a, Rows home.a, Rows home.b"},
          {"DROP DATABASE d", "Rows d."},
          {"GRANT ALL ON t TO x", "harmless"}},
         failed);
}

}  // namespace
}  // namespace datasync::binlog
