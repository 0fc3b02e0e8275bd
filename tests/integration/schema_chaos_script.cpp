// Which statements a script holds. A statement that the server refuses is no mistake: what it refuses is in no binlog.

#include <functional>

#include <fmt/format.h>

#include "tests/integration/schema_chaos.hpp"

namespace datasync::test {
namespace {

using What = ChaosStep::What;

const std::vector<std::string> kCaptured{"t", "größe", "Mixed", "sel`ect", "p", "mark"};
const std::vector<std::string> kChanged{"t", "größe", "Mixed", "sel`ect", "p"};
const std::vector<std::string> kOthers{"swap", "archive", "T", "t_new"};

class Writer {
 public:
  Writer(std::uint64_t seed, int statements, bool any_case)
      : random_(seed), statements_(statements), any_case_(any_case) {}

  ChaosScript write() {
    rows(0);
    for (int written = 0; written < statements_;) {
      disturb();
      session_ = pick(0, kChaosSessions - 1);
      written += change();
      for (int i = pick(0, 2); i > 0; --i) rows(pick(0, kChaosSessions - 1));
    }
    add(What::CatchUp);
    return std::move(script_);
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool one_in(int n) { return pick(1, n) == 1; }
  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[static_cast<std::size_t>(pick(0, static_cast<int>(of.size()) - 1))];
  }
  void add(What what, std::string text = {}, bool ddl = false) {
    script_.push_back({what, session_, std::move(text), ddl});
  }
  void ddl(std::string text) { add(What::Sql, std::move(text), true); }

  // --- names and white space, in all forms that the session's settings allow

  [[nodiscard]] std::string quoted(const std::string& name) {
    const char mark = session_ == 2 && one_in(2) ? '"' : '`';
    std::string out(1, mark);
    for (const char c : name) {
      if (c == mark) out.push_back(c);
      out.push_back(c);
    }
    return out + mark;
  }
  std::string name(std::string table) {
    if (any_case_ && one_in(3))
      for (char& c : table) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (session_ == 3) {  // has a default database
      switch (pick(1, 4)) {
        case 1:
          return "." + quoted(table);
        case 2:
          return quoted(table);
        default:
          break;
      }
    }
    const auto database = one_in(2) ? std::string("~") : "`~`";
    return database + (one_in(4) ? " . " : ".") + quoted(table);
  }
  std::string gap() {
    static const std::vector<std::string> kGaps{" ",     " ",  "\n", " /* t */ ",   " -- t\n", " # t ' \" \n",
                                                "/**/ ", "\t", " ",  "/*!50000 */ "};
    return any(kGaps);
  }
  std::string alter(const std::string& table, const std::string& action) {
    const auto statement = "ALTER" + gap() + "TABLE" + gap() + name(table) + gap() + action;
    if (one_in(12)) return "/*!40000 " + statement + " */";
    if (one_in(12)) return "/*M!100000 " + statement + " */";
    if (one_in(12)) return "SET STATEMENT lock_wait_timeout=10 FOR " + statement;
    return statement;
  }
  std::string column() { return fmt::format("c{}", pick(1, 4)); }
  std::string definition() {
    static const std::vector<std::string> kDefinitions{"INT",
                                                       "INT NOT NULL DEFAULT 7",
                                                       "VARCHAR(20) DEFAULT 'a,b) c'",
                                                       "BIGINT UNSIGNED NULL",
                                                       "DECIMAL(9,3)",
                                                       "VARCHAR(30) DEFAULT 'x;y'",
                                                       "DATE NULL",
                                                       "TEXT",
                                                       "UUID NULL",
                                                       "INT AS (id + 1) PERSISTENT",
                                                       "INET6 NULL",
                                                       "VARCHAR(10) NOT NULL DEFAULT ''"};
    return any(kDefinitions);
  }
  static std::string body() {
    return "(id INT PRIMARY KEY AUTO_INCREMENT, n INT NULL, v VARCHAR(40) NULL, secret VARCHAR(20) NULL)";
  }

  // --- what happens around the statements

  void disturb() {
    switch (pick(1, 14)) {
      case 1:
        return add(What::Kill, "capture");
      case 2:
        return add(What::Kill, "apply");
      case 3:
        return add(What::Failover);
      case 4:
      case 5:
        return add(What::Lag);
      case 6:
      case 7:
        return add(What::CatchUp);
      default:
        return;
    }
  }

  void rows(int session) {
    session_ = session;
    const auto table = any(kChanged);
    const auto value = pick(1, 1'000'000);
    switch (pick(1, 6)) {
      case 1:
        add(What::Sql, fmt::format("UPDATE {} SET n = {} WHERE id % 3 = {}", name(table), value, pick(0, 2)));
        return;
      case 2:
        add(What::Sql, fmt::format("DELETE FROM {} WHERE id % 7 = {}", name(table), pick(0, 6)));
        return;
      case 3: {
        const auto second = any(kChanged);
        add(What::Sql, "BEGIN");
        add(What::Sql, fmt::format("INSERT INTO {} (n, v) VALUES ({}, 'é{}')", name(table), value, value));
        add(What::Sql, fmt::format("UPDATE {} SET v = CONCAT(LEFT(v, 10), '{}')", name(second), value));
        add(What::Sql, one_in(5) ? "ROLLBACK" : "COMMIT");
        return;
      }
      case 4:
        add(What::Sql, fmt::format("REPLACE INTO {} (id, n) VALUES ({}, {})", name(table), pick(1, 30), value));
        return;
      default:
        add(What::Sql, fmt::format("INSERT INTO {} (n, v, secret) SELECT {} + seq, CONCAT('row ', seq), 'hidden' FROM "
                                   "mysql.seq_1_to_{}",
                                   name(table), value, pick(1, 12)));
    }
  }

  // --- schema changes; each returns how many statements it wrote

  int change() {
    const auto before = script_.size();
    if (one_in(4)) {
      whole_table(any(kChanged));
    } else if (one_in(4)) {
      partitions();
    } else if (one_in(9)) {
      refused(any(kChanged));
    } else if (one_in(8)) {
      unrelated();
    } else {
      ddl(alter(any(kChanged), action()));
    }
    int count = 0;
    for (auto i = before; i < script_.size(); ++i) count += script_[i].ddl ? 1 : 0;
    return count;
  }

  std::string action() {
    switch (pick(1, 17)) {
      case 1:
      case 2:
      case 3:
        return fmt::format("ADD COLUMN {}{} {}{}", one_in(2) ? "IF NOT EXISTS " : "", column(), definition(),
                           one_in(3) ? " FIRST" : "");
      case 4:
        return fmt::format("DROP COLUMN {}", column());
      case 5:
        return one_in(2) ? "MODIFY n BIGINT NULL" : "MODIFY v VARCHAR(60) NULL";
      case 6:
        return one_in(2) ? "CHANGE v V VARCHAR(60) NULL" : "CHANGE n N INT NULL";
      case 7:
        return fmt::format("RENAME COLUMN {} TO {}", column(), column());
      case 8:
        return "ADD INDEX by_n (n), COMMENT = 'n, now'";
      case 9:
        return session_ == 3 ? "COMMENT 'it\\'s, DROP PRIMARY KEY'" : "COMMENT 'it''s, DROP PRIMARY KEY'";
      case 10:
        return fmt::format("ADD COLUMN {} TEXT, ADD UNIQUE KEY over_text ({})", column(), column());
      case 11:
        return one_in(2) ? "CONVERT TO CHARACTER SET latin1" : "CONVERT TO CHARACTER SET utf8mb4";
      case 12:
        return one_in(2) ? "ROW_FORMAT=COMPRESSED" : "ROW_FORMAT=DYNAMIC";
      case 13:
        return "FORCE, ALGORITHM=COPY";
      case 14:
        return fmt::format("ADD COLUMN {} INT, DROP COLUMN {}, MODIFY n INT NULL DEFAULT 3", column(), column());
      case 15:
        return fmt::format("ALTER COLUMN n SET DEFAULT {}", pick(1, 9));
      case 16:
        return "DROP PRIMARY KEY, ADD PRIMARY KEY (id, n)";
      default:
        return "DROP PRIMARY KEY, ADD PRIMARY KEY (id)";
    }
  }

  void whole_table(const std::string& table) {
    switch (pick(1, 8)) {
      case 1:
        return ddl("TRUNCATE" + gap() + (one_in(2) ? "TABLE " : "") + name(table));
      case 2:  // as gh-ost and pt-online-schema-change do
        ddl(fmt::format("CREATE TABLE {} LIKE {}", name("t_new"), name(table)));
        ddl(alter("t_new", fmt::format("ADD COLUMN {} INT NOT NULL DEFAULT 4", column())));
        add(What::Sql,
            fmt::format("INSERT INTO {} (id, n, v) SELECT id, n + 1, v FROM {}", name("t_new"), name(table)));
        ddl(fmt::format("RENAME TABLE {} TO {}, {} TO {}", name(table), name("t_old"), name("t_new"), name(table)));
        return ddl(fmt::format("DROP TABLE IF EXISTS {}, {}", name("t_old"), name("t_new")));
      case 3:
        return ddl(
            fmt::format("RENAME TABLE {0} TO {2}, {1} TO {0}, {2} TO {1}", name("t"), name("größe"), name("passing")));
      case 4:
        ddl(fmt::format("DROP TABLE {}", name(table)));
        ddl(fmt::format("CREATE TABLE {} {}", name(table), body()));
        return add(What::Sql, fmt::format("INSERT INTO {} (n) VALUES (1), (2)", name(table)));
      case 5:
        ddl(fmt::format("CREATE OR REPLACE TABLE {} {}", name(table), body()));
        return;
      case 6:
        // MariaDB logs the definition in UTF-8 as if it were in the session's character set: replicas of the server
        // itself do not find the table.
        if (session_ == 1) session_ = 0;
        return ddl(
            fmt::format("CREATE OR REPLACE TABLE {} (PRIMARY KEY (id)) AS SELECT seq id, seq n, CONVERT('v' USING "
                        "utf8mb4) v, CONVERT('s' USING utf8mb4) secret "
                        "FROM mysql.seq_1_to_{}",
                        name(table), pick(1, 20)));
      case 7:
        ddl(fmt::format("RENAME TABLE {} TO `~x`.`away`", name(table)));
        return ddl(fmt::format("RENAME TABLE `~x`.away TO {}", name(table)));
      default:
        return ddl(fmt::format("CREATE OR REPLACE TABLE {} LIKE {}", name(table), name(any(kOthers))));
    }
  }

  void partitions() {
    static const std::vector<std::string> kParts{"p0", "p1", "p2"};
    switch (pick(1, 6)) {
      case 1:
        return ddl(alter("p", fmt::format("EXCHANGE PARTITION {} WITH TABLE {} WITHOUT VALIDATION", any(kParts),
                                          name(any(kOthers)))));
      case 2:
        return ddl(alter("p", fmt::format("EXCHANGE PARTITION {} WITH TABLE {}", any(kParts), name("t"))));
      case 3:
        return ddl(alter("p", "TRUNCATE PARTITION " + any(kParts)));
      case 4:
        return ddl(alter("p",
                         "REORGANIZE PARTITION p0, p1 INTO (PARTITION p0 VALUES LESS THAN (8), PARTITION p1 "
                         "VALUES LESS THAN (20))"));
      case 5:
        ddl(alter("p", "DROP PARTITION p1"));
        return ddl(alter("p",
                         "REORGANIZE PARTITION p2 INTO (PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES "
                         "LESS THAN MAXVALUE)"));
      default:
        ddl(alter("p", fmt::format("CONVERT PARTITION p0 TO TABLE {}", name("out_of_p"))));
        return ddl("DROP TABLE IF EXISTS " + name("out_of_p"));
    }
  }

  /// What cannot be carried on with: a reason, and a way on.
  void refused(const std::string& table) {
    switch (pick(1, 6)) {
      case 1:
        return ddl(alter(table, "DROP PRIMARY KEY, MODIFY id INT"));
      case 2:
        return ddl(alter(table, "ENGINE=Aria"));
      case 3:
        return ddl(alter(table, "ADD SYSTEM VERSIONING"));
      case 4:
        return ddl(alter("t", "RENAME COLUMN secret TO secret2"));
      case 5:
        return cascade(table);
      default:
        return ddl("DROP TABLE " + name(table));
    }
  }

  /// Rows of the child that no row event shows.
  void cascade(const std::string& table) {
    ddl(alter("archive", "ADD INDEX IF NOT EXISTS (n)"));
    add(What::Sql, fmt::format("UPDATE {} SET n = 20 WHERE id % 2 = 0", name(table)));
    ddl("SET STATEMENT foreign_key_checks = 0 FOR " +
        fmt::format("ALTER TABLE {} ADD CONSTRAINT cascading FOREIGN KEY (n) REFERENCES {} (n) ON DELETE CASCADE",
                    name(table), name("archive")));
    add(What::Sql, fmt::format("DELETE FROM {} WHERE n = 20", name("archive")));
  }

  void unrelated() {
    switch (pick(1, 5)) {
      case 1:
        return ddl(alter(any(kOthers), action()));
      case 2:
        return ddl(fmt::format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}", name("seen"), name("t")));
      case 3:
        return ddl(
            fmt::format("CREATE OR REPLACE TRIGGER `~`.touch BEFORE INSERT ON {} FOR EACH ROW SET NEW.n = "
                        "COALESCE(NEW.n, 1)",
                        name("t")));
      case 4:
        return ddl("OPTIMIZE TABLE " + name(any(kChanged)));
      default:
        return ddl("ANALYZE TABLE " + name(any(kChanged)));
    }
  }

  std::mt19937_64 random_;
  int statements_;
  bool any_case_;
  int session_ = 0;
  ChaosScript script_;
};

}  // namespace

const std::vector<std::string>& chaos_captured_tables() {
  return kCaptured;
}

ChaosScript make_chaos_script(std::uint64_t seed, int statements, bool any_case) {
  return Writer(seed, statements, any_case).write();
}

std::string ChaosStep::shown() const {
  switch (what) {
    case What::Sql:
      return fmt::format("[{}] {}", session, text);
    case What::Kill:
      return "(kill " + text + ")";
    case What::Failover:
      return "(restart the replica in use)";
    case What::Lag:
      return "(freeze capture)";
    case What::CatchUp:
      return "(let capture go on and compare)";
  }
  return "?";
}

}  // namespace datasync::test
