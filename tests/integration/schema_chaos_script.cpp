// Which statements a script holds. A statement that the server refuses is no mistake: what it refuses is in no binlog.

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "tests/integration/schema_chaos_hazards.hpp"

namespace datasync::test {
namespace {

using What = ChaosStep::What;

/// Sessions that write rows; the one with other character sets writes some of the schema changes only.
constexpr int kWriters = kChaosCharset;

class Writer : public ChaosHazards {
 public:
  Writer(std::uint64_t seed, int statements, bool any_case) : ChaosHazards(seed, any_case), statements_(statements) {}

  ChaosScript write() {
    policies();
    rows(0);
    auto due = chosen_hazards();
    for (int written = 0; written < statements_;) {
      const auto before = script_.size();
      if (!due.empty() && due.back().first <= written) {
        due.back().second();
        due.pop_back();
      } else {
        disturb();
        session_ = pick(0, kWriters - 1);
        change();
      }
      for (auto i = before; i < script_.size(); ++i) written += script_[i].ddl ? 1 : 0;
      for (int i = pick(0, 2); i > 0; --i) rows(pick(0, kWriters - 1));
    }
    add(What::CatchUp);
    return std::move(script_);
  }

 private:
  using Due = std::pair<int, std::function<void()>>;  ///< after so many statements

  void policies() {
    static const std::vector<std::string> kChanges{"ApplyAll", "ApplyAll", "ApplyAdditive", "Halt"};
    static const std::vector<std::string> kErrors{"HoldStream", "HoldTable"};
    const auto& changes = any(kChanges);
    add(What::Policy, changes + " " + any(kErrors));
  }

  /// Most of them, the last one first.
  std::vector<Due> chosen_hazards() {
    std::vector<Due> due;
    for (auto& hazard : hazards())
      if (!one_in(8)) due.emplace_back(pick(0, statements_ * 3 / 4), std::move(hazard));
    std::ranges::stable_sort(due, std::ranges::greater(), &Due::first);
    return due;
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
    const auto table = changed_table();
    const auto value = pick(1, 1'000'000);
    switch (pick(1, 6)) {
      case 1:
        sql(fmt::format("UPDATE {} SET n = {} WHERE id % 3 = {}", name(table), value, pick(0, 2)));
        return;
      case 2:
        sql(fmt::format("DELETE FROM {} WHERE id % 7 = {}", name(table), pick(0, 6)));
        return;
      case 3: {
        const auto second = changed_table();
        sql("BEGIN");
        sql(fmt::format("INSERT INTO {} (n, v) VALUES ({}, 'é{}')", name(table), value, value));
        sql(fmt::format("UPDATE {} SET v = CONCAT(LEFT(v, 10), '{}')", name(second), value));
        sql(one_in(5) ? "ROLLBACK" : "COMMIT");
        return;
      }
      case 4:
        sql(fmt::format("REPLACE INTO {} (id, n) VALUES ({}, {})", name(table), pick(1, 30), value));
        return;
      default:
        sql(
            fmt::format("INSERT INTO {} (n, v, secret) SELECT {} + seq, CONCAT('row ', seq), 'hidden' FROM "
                        "mysql.seq_1_to_{}",
                        name(table), value, pick(1, 12)));
    }
  }

  // --- schema changes

  void change() {
    if (one_in(10)) {
      any(hazards())();
    } else if (one_in(4)) {
      whole_table(changed_table());
    } else if (one_in(4)) {
      partitions();
    } else if (one_in(9)) {
      refused(changed_table());
    } else if (one_in(8)) {
      unrelated();
    } else {
      ddl(alter(changed_table(), action()));
    }
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
        return session_ == kChaosAtHome ? "COMMENT 'it\\'s, DROP PRIMARY KEY'" : "COMMENT 'it''s, DROP PRIMARY KEY'";
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
        sql(fmt::format("INSERT INTO {} (id, n, v) SELECT id, n + 1, v FROM {}", name("t_new"), name(table)));
        ddl(fmt::format("RENAME TABLE {} TO {}, {} TO {}", name(table), name("t_old"), name("t_new"), name(table)));
        return ddl(fmt::format("DROP TABLE IF EXISTS {}, {}", name("t_old"), name("t_new")));
      case 3:
        return ddl(
            fmt::format("RENAME TABLE {0} TO {2}, {1} TO {0}, {2} TO {1}", name("t"), name("größe"), name("passing")));
      case 4:
        ddl(fmt::format("DROP TABLE {}", name(table)));
        ddl(fmt::format("CREATE TABLE {} {}", name(table), body()));
        return sql(fmt::format("INSERT INTO {} (n) VALUES (1), (2)", name(table)));
      case 5:
        ddl(fmt::format("CREATE OR REPLACE TABLE {} {}", name(table), body()));
        return;
      case 6:
        // MariaDB logs the definition in UTF-8 as if it were in the session's character set: replicas of the server
        // itself do not find the table.
        if (session_ == kChaosLatin1) session_ = 0;
        return ddl(
            fmt::format("CREATE OR REPLACE TABLE {} (PRIMARY KEY (id)) AS SELECT seq id, seq n, CONVERT('v' USING "
                        "utf8mb4) v, CONVERT('s' USING utf8mb4) secret "
                        "FROM mysql.seq_1_to_{}",
                        name(table), pick(1, 20)));
      case 7:
        ddl(fmt::format("RENAME TABLE {} TO `~x`.`away`", name(table)));
        return ddl(fmt::format("RENAME TABLE `~x`.away TO {}", name(table)));
      default:
        return ddl(fmt::format("CREATE OR REPLACE TABLE {} LIKE {}", name(table), name(other_table())));
    }
  }

  void partitions() {
    static const std::vector<std::string> kParts{"p0", "p1", "p2"};
    switch (pick(1, 6)) {
      case 1:
        sql(fmt::format("UPDATE {} SET id = id + 100 WHERE id < 100", name("swap")));
        return ddl(alter("p", "EXCHANGE PARTITION p2 WITH TABLE " + name("swap")));
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
        ddl(alter("p",
                  "REORGANIZE PARTITION p1 INTO (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN "
                  "(20))"));
        return ddl("DROP TABLE IF EXISTS " + name("out_of_p"));
    }
  }

  /// What cannot be carried on with: a reason, and a way on.
  void refused(const std::string& table) {
    switch (pick(1, 5)) {
      case 1:
        return ddl(alter(table, "DROP PRIMARY KEY, MODIFY id INT"));
      case 2:
        return ddl(alter(table, "ENGINE=Aria"));
      case 3:
        return ddl(alter(table, "ADD SYSTEM VERSIONING"));
      case 4:
        return ddl(alter("t", "RENAME COLUMN secret TO secret2"));
      default:
        return ddl("DROP TABLE " + name(table));
    }
  }

  void unrelated() {
    switch (pick(1, 5)) {
      case 1:
        return ddl(alter(other_table(), action()));
      case 2:
        return ddl(fmt::format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}", name("seen"), name("t")));
      case 3:
        return ddl(
            fmt::format("CREATE OR REPLACE TRIGGER `~`.touch BEFORE INSERT ON {} FOR EACH ROW SET NEW.n = "
                        "COALESCE(NEW.n, 1)",
                        name("t")));
      case 4:
        return ddl("OPTIMIZE TABLE " + name(changed_table()));
      default:
        return ddl("ANALYZE TABLE " + name(changed_table()));
    }
  }

  int statements_;
};

}  // namespace

ChaosScript make_chaos_script(std::uint64_t seed, int statements, bool any_case) {
  return Writer(seed, statements, any_case).write();
}

}  // namespace datasync::test
