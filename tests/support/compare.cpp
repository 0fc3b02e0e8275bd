#include "tests/support/compare.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::test {
namespace {

constexpr std::size_t kDifferencesShown = 20;
constexpr std::uint64_t kRowsAtOnce = 200000;

struct Column {
  std::string name, type;
};

/// One table of one side as the comparison sees it.
struct Shape {
  std::vector<Column> columns;
  std::vector<std::string> key;  ///< names; empty: no primary key
};

struct Names {
  std::string database, table;
};

Names split(const std::string& table) {
  const auto dot = table.find('.');
  return {table.substr(0, dot), table.substr(dot + 1)};
}

std::string where_table(const std::string& table) {
  const auto names = split(table);
  return fmt::format("TABLE_SCHEMA = {} AND TABLE_NAME = {}", quote(names.database), quote(names.table));
}

Shape read_shape(Session& session, const std::string& table) {
  Shape shape;
  for (const auto& row : session.query("SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE " +
                                       where_table(table) + " ORDER BY ORDINAL_POSITION")) {
    shape.columns.push_back({row.at(0).value(), row.at(1).value()});
  }
  for (const auto& row : session.query("SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE " +
                                       where_table(table) + " AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX")) {
    shape.key.push_back(row.at(0).value());
  }
  return shape;
}

/// The key's columns first, then the others: rows sort by key.
std::vector<Column> key_first(const Shape& shape, const std::set<std::string>& ignored) {
  std::vector<Column> key, others;
  for (const auto& column : shape.columns) {
    if (ignored.contains(column.name)) continue;
    const bool in_key = std::ranges::find(shape.key, column.name) != shape.key.end();
    (in_key ? key : others).push_back(column);
  }
  key.insert(key.end(), others.begin(), others.end());
  return key;
}

/// Reads one side of one table in shares that fit in memory; both sides share rows out in the same way, by the key's
/// text.
class Reader {
 public:
  Reader(Session& session, std::string table, std::vector<std::string> texts, std::size_t key_columns)
      : session_(session), table_(std::move(table)), texts_(std::move(texts)), key_columns_(key_columns) {}

  std::uint64_t count() {
    return static_cast<std::uint64_t>(session_.number("SELECT COUNT(*) FROM " + quote_table(table_)));
  }

  std::vector<SqlRow> share(std::uint64_t number, std::uint64_t of) {
    auto sql = fmt::format("SELECT {} FROM {}", fmt::join(texts_, ", "), quote_table(table_));
    if (of > 1) {
      std::vector<std::string> key(texts_.begin(), texts_.begin() + static_cast<std::ptrdiff_t>(key_columns_));
      sql += fmt::format(" WHERE CRC32(CONCAT_WS('|', {})) % {} = {}", fmt::join(key, ", "), of, number);
    }
    auto rows = session_.query(sql);
    std::ranges::sort(rows);
    return rows;
  }

 private:
  Session& session_;
  std::string table_;
  std::vector<std::string> texts_;
  std::size_t key_columns_;
};

std::string shown(const std::optional<std::string>& value) {
  if (!value) return "NULL";
  return value->size() > 80 ? fmt::format("{}... ({} characters)", value->substr(0, 80), value->size()) : *value;
}

/// Walks two sorted lists of rows and counts how they differ.
class Merger {
 public:
  Merger(const TablePair& pair, const std::vector<Column>& columns, std::size_t key_columns, CompareResult& result)
      : pair_(pair), columns_(columns), key_columns_(key_columns), result_(result) {}

  void merge(const std::vector<SqlRow>& source, const std::vector<SqlRow>& destination) {
    auto s = source.begin();
    auto d = destination.begin();
    while (s != source.end() || d != destination.end()) {
      const auto& first = d == destination.end() || (s != source.end() && key(*s) <= key(*d)) ? *s : *d;
      std::vector<const SqlRow*> left, right;
      for (; s != source.end() && key(*s) == key(first); ++s) left.push_back(&*s);
      for (; d != destination.end() && key(*d) == key(first); ++d) right.push_back(&*d);
      same_key(std::move(left), std::move(right));
    }
  }

 private:
  [[nodiscard]] std::vector<std::optional<std::string>> key(const SqlRow& row) const {
    return {row.begin(), row.begin() + static_cast<std::ptrdiff_t>(key_columns_)};
  }

  /// Rows with one key: equal ones cancel out; what is left is changed, lost or too many.
  void same_key(std::vector<const SqlRow*> left, std::vector<const SqlRow*> right) {
    std::erase_if(left, [&](const SqlRow* row) {
      const auto same_row = std::ranges::find_if(right, [&](const SqlRow* other) { return *other == *row; });
      if (same_row == right.end()) return false;
      right.erase(same_row);
      return true;
    });
    const auto pairs = std::min(left.size(), right.size());
    for (std::size_t i = 0; i < pairs; ++i) changed(*left[i], *right[i]);
    for (std::size_t i = pairs; i < left.size(); ++i) report(result_.lost, *left[i], "is missing at the destination");
    for (std::size_t i = pairs; i < right.size(); ++i) {
      report(result_.duplicated, *right[i], "is at the destination once too often");
    }
  }

  void changed(const SqlRow& left, const SqlRow& right) {
    std::string what;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i] == right[i]) continue;
      what += fmt::format("{}{}: {} at the source, {} at the destination", what.empty() ? "" : "; ", columns_[i].name,
                          shown(left[i]), shown(right[i]));
    }
    report(result_.changed, left, what);
  }

  void report(std::uint64_t& counter, const SqlRow& row, const std::string& what) {
    ++counter;
    if (result_.differences.size() >= kDifferencesShown) return;
    std::string where;
    for (std::size_t i = 0; i < key_columns_; ++i) where += fmt::format(" {}={}", columns_[i].name, shown(row[i]));
    result_.differences.push_back(fmt::format("{}{}: {}", pair_.source, where.substr(0, 300), what));
  }

  const TablePair& pair_;
  const std::vector<Column>& columns_;
  std::size_t key_columns_;
  CompareResult& result_;
};

/// Servers compare the names of columns without case. Scripts of tests use ASCII letters in two cases.
bool same_name(const std::string& a, const std::string& b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// Columns of the source that the destination lacks, or the table as a whole.
std::vector<std::string> missing_parts(const TablePair& pair, const std::vector<Column>& columns,
                                       const Shape& destination) {
  if (columns.empty()) return {fmt::format("{}: no such table at the source", pair.source)};
  if (destination.columns.empty()) return {fmt::format("{}: no such table at the destination", pair.destination)};
  std::vector<std::string> missing;
  for (const auto& column : columns) {
    const bool there = std::ranges::any_of(destination.columns,
                                           [&](const Column& other) { return same_name(other.name, column.name); });
    if (!there) missing.push_back(fmt::format("{}: the destination lacks column {}", pair.source, column.name));
  }
  return missing;
}

/// The destination's texts use its own column types: ENUM may have become VARCHAR there, and then it differs in text.
std::vector<std::string> texts(const std::vector<Column>& columns, const Shape& shape, bool text_as_utf8) {
  std::vector<std::string> result;
  for (const auto& column : columns) {
    const auto here =
        std::ranges::find_if(shape.columns, [&](const Column& c) { return same_name(c.name, column.name); });
    result.push_back(exact_text(column.name, here->type, text_as_utf8));
  }
  return result;
}

CompareResult compare_table(Session& source, Session& destination, const TablePair& pair) {
  CompareResult result;
  const auto left = read_shape(source, pair.source);
  const auto right = read_shape(destination, pair.destination);
  const auto columns = key_first(left, pair.ignored_columns);
  result.differences = missing_parts(pair, columns, right);
  if (!result.differences.empty()) return result;

  const auto key_columns = left.key.empty() ? columns.size() : left.key.size();
  Reader source_rows(source, pair.source, texts(columns, left, pair.text_as_utf8), key_columns);
  Reader destination_rows(destination, pair.destination, texts(columns, right, pair.text_as_utf8), key_columns);
  result.source_rows = source_rows.count();
  result.destination_rows = destination_rows.count();
  Merger merger(pair, columns, key_columns, result);
  const auto shares = std::max(result.source_rows, result.destination_rows) / kRowsAtOnce + 1;
  for (std::uint64_t share = 0; share < shares; ++share) {
    merger.merge(source_rows.share(share, shares), destination_rows.share(share, shares));
  }
  return result;
}

}  // namespace

std::string exact_text(const std::string& column, const std::string& data_type, bool text_as_utf8) {
  const auto name = quote_name(column);
  const auto is_one_of = [&](std::initializer_list<std::string_view> types) {
    return std::ranges::find(types, data_type) != types.end();
  };
  // A point's bytes hold its coordinates as IEEE doubles: the one place where SQL shows all bits, also those of -0.0.
  if (is_one_of({"float", "double"})) return fmt::format("HEX(POINT({}, 0))", name);
  if (data_type == "bit") return fmt::format("CAST({} + 0 AS CHAR)", name);
  if (is_one_of({"enum", "set"})) return fmt::format("CONCAT({0} + 0, ':', HEX({0}))", name);
  if (is_one_of({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})) {
    return text_as_utf8 ? fmt::format("HEX(CONVERT({} USING utf8mb4))", name) : fmt::format("HEX({})", name);
  }
  if (is_one_of({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "date", "time", "datetime",
                 "timestamp", "year", "inet4", "inet6"})) {
    return fmt::format("CAST({} AS CHAR)", name);
  }
  return fmt::format("HEX({})", name);  // binary, blobs, geometry, uuid
}

std::string CompareResult::text() const {
  if (equal()) return fmt::format("equal, {} rows", source_rows);
  return fmt::format("{} rows at the source, {} at the destination; lost {}, duplicated {}, changed {}\n{}",
                     source_rows, destination_rows, lost, duplicated, changed, fmt::join(differences, "\n"));
}

void CompareResult::add(const CompareResult& other) {
  source_rows += other.source_rows;
  destination_rows += other.destination_rows;
  lost += other.lost;
  duplicated += other.duplicated;
  changed += other.changed;
  differences.insert(differences.end(), other.differences.begin(), other.differences.end());
}

CompareResult compare(Session& source, Session& destination, const std::vector<TablePair>& tables) {
  CompareResult all;
  for (auto pair : tables) {
    if (pair.destination.empty()) pair.destination = pair.source;
    all.add(compare_table(source, destination, pair));
  }
  return all;
}

}  // namespace datasync::test
