#include "tests/integration/schema_chaos_words.hpp"

#include <fmt/format.h>

namespace datasync::test {
namespace {

const std::vector<std::string> kCaptured{"t", "größe", "Mixed", "sel`ect", "p", "表", "mark"};
const std::vector<std::string> kChanged{"t", "größe", "Mixed", "sel`ect", "p", "表"};
const std::vector<std::string> kOthers{"swap", "archive", "T", "t_new"};

}  // namespace

const std::vector<std::string>& chaos_captured_tables() {
  return kCaptured;
}

std::string ChaosWords::changed_table() {
  auto table = any(kChanged);
  return table == "表" && session_ == kChaosLatin1 ? "größe" : table;
}

std::string ChaosWords::other_table() {
  return any(kOthers);
}

std::string ChaosWords::quoted(const std::string& name) {
  const char mark = session_ == kChaosAnsi && one_in(2) ? '"' : '`';
  std::string out(1, mark);
  for (const char c : name) {
    if (c == mark) out.push_back(c);
    out.push_back(c);
  }
  return out + mark;
}

std::string ChaosWords::name(std::string table) {
  if (any_case_ && one_in(3))
    for (char& c : table) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (session_ == kChaosAtHome) {
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

std::string ChaosWords::gap() {
  static const std::vector<std::string> kGaps{" ",     " ",  "\n", " /* t */ ",   " -- t\n", " # t ' \" \n",
                                              "/**/ ", "\t", " ",  "/*!50000 */ "};
  return any(kGaps);
}

std::string ChaosWords::alter(const std::string& table, const std::string& action) {
  const auto statement = "ALTER" + gap() + "TABLE" + gap() + name(table) + gap() + action;
  if (one_in(12)) return "/*!40000 " + statement + " */";
  if (one_in(12)) return "/*M!100000 " + statement + " */";
  if (one_in(12)) return "SET STATEMENT lock_wait_timeout=10 FOR " + statement;
  return statement;
}

std::string ChaosWords::column() {
  return fmt::format("c{}", pick(1, 4));
}

std::string ChaosWords::definition() {
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

std::string ChaosWords::body() {
  return "(id INT PRIMARY KEY AUTO_INCREMENT, n INT NULL, v VARCHAR(40) NULL, secret VARCHAR(20) NULL)";
}

std::string ChaosStep::shown() const {
  switch (what) {
    case What::Policy:
      return "(policies: " + text + ")";
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
