#include "tests/integration/schema_chaos_hazards.hpp"

#include <utility>

#include <fmt/format.h>

namespace datasync::test {
namespace {

using What = ChaosStep::What;

}  // namespace

std::vector<std::function<void()>> ChaosHazards::hazards() {
  return {[this] { cascade(); },  [this] { other_case(); }, [this] { other_charset(); },
          [this] { exchange(); }, [this] { cut_over(); },   [this] { excluded(); }};
}

/// Capture reads what comes now when it is long over, often.
void ChaosHazards::lag() {
  if (one_in(3)) add(What::Lag);
}

void ChaosHazards::compare() {
  if (!one_in(4)) add(What::CatchUp);
}

/// A foreign key that is added changes rows of the child, which no row event has.
void ChaosHazards::cascade() {
  struct Form {
    const char *action, *change;
  };
  static const std::vector<Form> kForms{
      {"ON DELETE CASCADE", "DELETE FROM {} WHERE n = 20"},
      {"ON DELETE SET NULL", "DELETE FROM {} WHERE n = 20"},
      {"ON UPDATE CASCADE", "UPDATE {} SET n = 21 WHERE n = 20"},
      {"ON UPDATE SET NULL ON DELETE CASCADE", "UPDATE {} SET n = 21 WHERE n = 20"},
  };
  session_ = pick(0, 1) == 0 ? 0 : kChaosAtHome;
  const auto& form = any(kForms);
  const auto child = any(std::vector<std::string>{"t", "größe", "Mixed", "sel`ect", "表"});
  ddl(alter("archive", "ADD INDEX IF NOT EXISTS (n)"));
  sql(fmt::format("INSERT INTO {} (n) VALUES (20)", name("archive")));
  sql(fmt::format("UPDATE {} SET n = 20 WHERE id % 2 = 0", name(child)));
  ddl("SET STATEMENT foreign_key_checks = 0 FOR " +
      fmt::format("ALTER TABLE {} ADD CONSTRAINT cascading FOREIGN KEY (n) REFERENCES {} (n) {}", name(child),
                  name("archive"), form.action));
  sql(fmt::format(fmt::runtime(form.change), name("archive")));
  compare();
}

/// For the server the name of a column is the same whatever its case.
void ChaosHazards::other_case() {
  static const std::vector<std::string> kForms{
      "CHANGE v V VARCHAR(60) NULL", "RENAME COLUMN v TO V",
      "MODIFY V VARCHAR(50) NULL",   "DROP COLUMN v, ADD COLUMN V VARCHAR(40) NULL",
      "CHANGE n N BIGINT NULL",      "CHANGE COLUMN N n INT NULL FIRST",
  };
  session_ = pick(0, 3);
  const auto table = changed_table();
  lag();
  ddl(alter(table, any(kForms)));
  sql(fmt::format("INSERT INTO {} (n, v) VALUES (1, 'one'), (2, 'two')", name(table)));
  compare();
}

/// The name of a table is not ASCII, and the text of the statement is not UTF-8.
void ChaosHazards::other_charset() {
  static const std::vector<std::string> kOfGerman{"latin1", "latin2", "cp850", "cp1250", "macroman", "cp852"};
  static const std::vector<std::string> kOfChinese{"sjis", "gbk", "big5", "ujis", "cp932", "euckr"};
  session_ = kChaosCharset;
  const bool german = one_in(2);
  const std::string table = german ? "größe" : "表";
  sql("SET NAMES " + any(german ? kOfGerman : kOfChinese));
  lag();
  switch (pick(1, 5)) {
    case 1:
      ddl(fmt::format("RENAME TABLE {0} TO {2}, {1} TO {0}, {2} TO {1}", name("Mixed"), name(table), name("passing")));
      break;
    case 2:
      ddl(alter(table, "ADD COLUMN c4 INT NOT NULL DEFAULT 5"));
      break;
    default:
      ddl("TRUNCATE" + gap() + (one_in(2) ? "TABLE " : "") + name(table));
  }
  compare();
}

/// Rows of two tables change places: one of them is captured, or both are.
void ChaosHazards::exchange() {
  if (one_in(4)) return exchange_with_captured();
  session_ = one_in(2) ? 0 : kChaosAtHome;
  const bool from_p = one_in(3);  // else a captured table gets the rows of a partition that nobody captures
  const std::string captured = from_p ? "p" : any(std::vector<std::string>{"t", "größe", "Mixed", "sel`ect", "表"});
  ddl("DROP TABLE IF EXISTS " + name("parts"));
  ddl(fmt::format("CREATE TABLE {} LIKE {}", name("parts"), name(captured)));
  if (from_p)
    ddl(alter("parts", "REMOVE PARTITIONING"));
  else
    ddl(alter("parts",
              "PARTITION BY RANGE (id) (PARTITION p2 VALUES LESS THAN (1000), PARTITION p3 VALUES LESS THAN "
              "MAXVALUE)"));
  sql(fmt::format("INSERT INTO {} (id, n, v) VALUES (33, 303, 'of another table'), (35, 305, NULL)", name("parts")));
  lag();
  ddl(alter(from_p ? "p" : "parts",
            fmt::format("EXCHANGE PARTITION p2 WITH TABLE {}", name(from_p ? "parts" : captured))));
  compare();
}

void ChaosHazards::exchange_with_captured() {
  session_ = 0;
  const std::string other = one_in(2) ? "größe" : "Mixed";
  ddl(fmt::format("CREATE OR REPLACE TABLE {} LIKE {}", name(other), name("p")));
  ddl(alter(other, "REMOVE PARTITIONING"));
  sql(fmt::format("INSERT INTO {} (id, n, v) VALUES (32, 302, 'of another table')", name(other)));
  lag();
  ddl(alter("p", fmt::format("EXCHANGE PARTITION p2 WITH TABLE {}", name(other))));
  compare();
}

/// As gh-ost, pt-online-schema-change and tools with two statements end an online schema change.
void ChaosHazards::cut_over() {
  session_ = one_in(3) ? kChaosAtHome : 0;
  const auto table = changed_table();
  const auto made = "_" + table + "_gho";
  const auto left = "_" + table + "_del";
  ddl(fmt::format("DROP TABLE IF EXISTS {}, {}", name(made), name(left)));
  ddl(fmt::format("CREATE TABLE {} LIKE {}", name(made), name(table)));
  if (!one_in(3)) ddl(alter(made, fmt::format("ADD COLUMN {} INT NOT NULL DEFAULT 4", column())));
  sql(fmt::format("INSERT INTO {} (id, n, v) SELECT id, n + 1, v FROM {}", name(made), name(table)));
  lag();
  switch (pick(1, 5)) {
    case 1:
      ddl(alter(table, "RENAME TO " + name(left)));
      ddl(alter(made, "RENAME " + name(table)));
      break;
    case 2:
      ddl("DROP TABLE " + name(table));
      ddl(fmt::format("RENAME TABLE {} TO {}", name(made), name(table)));
      break;
    default:
      ddl(fmt::format("RENAME TABLE {} TO {}, {} TO {}", name(table), name(left), name(made), name(table)));
  }
  sql(fmt::format("INSERT INTO {} (n, v) VALUES (7, 'after')", name(table)));
  compare();
}

/// What must not be visible gets another name, or a copy of its own.
void ChaosHazards::excluded() {
  static const std::vector<std::string> kForms{
      "RENAME COLUMN secret TO secret2",
      "CHANGE secret secret2 VARCHAR(30) NULL",
      "CHANGE COLUMN `secret` `secret2` VARCHAR(20) NULL FIRST",
      "RENAME COLUMN secret TO secret2, ADD COLUMN secret VARCHAR(20) NULL",
      "ADD COLUMN secret_copy VARCHAR(20) AS (secret) PERSISTENT",
  };
  session_ = pick(0, 3);
  lag();
  ddl(alter("t", any(kForms)));
  sql(fmt::format("UPDATE {} SET n = n + 1", name("t")));
  sql(fmt::format("INSERT INTO {} (n, v) VALUES (8, 'after')", name("t")));
  compare();
}

}  // namespace datasync::test
