#pragma once
// Names, white space and forms of statements in which random schema changes are written.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/schema_chaos.hpp"

namespace datasync::test {

/// Collects the steps of a script. All choices depend on the seed alone.
class ChaosWords {
 public:
  ChaosWords(std::uint64_t seed, bool any_case) : random_(seed), any_case_(any_case) {}

 protected:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool one_in(int n) { return pick(1, n) == 1; }
  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[static_cast<std::size_t>(pick(0, static_cast<int>(of.size()) - 1))];
  }

  void add(ChaosStep::What what, std::string text = {}, bool ddl = false) {
    script_.push_back({what, session_, std::move(text), ddl});
  }
  void sql(std::string text) { add(ChaosStep::What::Sql, std::move(text)); }
  void ddl(std::string text) { add(ChaosStep::What::Sql, std::move(text), true); }

  /// A table whose rows and definition change, with a name that the session's character set has.
  std::string changed_table();
  /// One that nobody captures.
  std::string other_table();
  std::string quoted(const std::string& name);
  /// The table's name in one of the forms that the session's settings allow.
  std::string name(std::string table);
  std::string gap();
  std::string alter(const std::string& table, const std::string& action);
  std::string column();
  std::string definition();
  /// What all tables have at first.
  static std::string body();

  std::mt19937_64 random_;
  bool any_case_;
  int session_ = 0;
  ChaosScript script_;
};

}  // namespace datasync::test
