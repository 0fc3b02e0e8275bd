#pragma once
// The oracle: are two databases equal, row by row and bit by bit? It reads text over plain SELECTs and shares nothing
// with the code under test but the connection.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/support/session.hpp"

namespace datasync::test {

struct TablePair {
  std::string source;                          ///< "shop.orders"
  std::string destination;                     ///< empty: the same name
  std::set<std::string> ignored_columns = {};  ///< excluded ones, which the destination lacks
  /// Compares text as characters, not as bytes: for a destination column of another character set.
  bool text_as_utf8 = false;
};

struct CompareResult {
  std::uint64_t source_rows = 0, destination_rows = 0;
  std::uint64_t lost = 0;                ///< rows the destination lacks
  std::uint64_t duplicated = 0;          ///< rows the destination has more often than the source
  std::uint64_t changed = 0;             ///< rows of one key with other values
  std::vector<std::string> differences;  ///< the first few, each naming table, key, column and both values

  [[nodiscard]] bool equal() const noexcept {
    return lost == 0 && duplicated == 0 && changed == 0 && differences.empty();
  }
  /// "equal, 12 rows" or the differences, a line each.
  [[nodiscard]] std::string text() const;
  void add(const CompareResult& other);
};

/// Compares all rows of each pair, ordered by the bytes of the source's primary key (all columns when it has none).
/// Every column counts, invisible and generated ones too: text and binary by their bytes, FLOAT and DOUBLE by their
/// bits, BIT, ENUM and SET by number and label, TIMESTAMP in UTC. A missing table or column is a difference. Nothing
/// may write meanwhile.
CompareResult compare(Session& source, Session& destination, const std::vector<TablePair>& tables);

/// The expression that gives one column's value as text that differs whenever the value differs.
std::string exact_text(const std::string& column, const std::string& data_type, bool text_as_utf8 = false);

}  // namespace datasync::test
