#pragma once
// Writes the words of a statement: with quotes, spaces, comments and capitals at random.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "tests/support/ddl_grammar.hpp"

namespace datasync::test {

class DdlWriter {
 public:
  DdlWriter(std::mt19937_64& random, DdlStatement& out, bool noise);

  /// Words and symbols with spaces between them, as they are but for their case.
  DdlWriter& words(std::string_view text);
  /// A column, an index, a partition.
  DdlWriter& name(std::string_view name);
  /// A table, in any form that the server takes; it is added to the statement's tables.
  DdlWriter& table(const std::string& database, const std::string& name);
  DdlWriter& string(std::string_view value);
  /// As it is.
  DdlWriter& raw(std::string_view text);

  bool chance(unsigned percent) { return below(100) < percent; }
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

 private:
  void space(bool needed);
  std::string quoted(std::string_view name);

  std::mt19937_64& random_;
  DdlStatement& out_;
  bool noise_;
  bool ansi_, backslashes_;
};

}  // namespace datasync::test
