#pragma once
// Which tables are captured, as what type, on which stream.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"

namespace datasync::capture {

/// One captured table.
struct TableChoice {
  std::string database, table, type;
  std::int32_t stream = 0;               ///< where all its rows go, see route.hpp
  std::vector<std::string> exclude;      ///< column names
  std::vector<std::string> key_columns;  ///< declared key; empty: the primary key
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};

/// The types of a capture, turned around: from a table to its type. Immutable: thread-safe.
class Selection {
 public:
  /// Names are "database.table", cut at the first point. Errors: ConfigInvalid naming every table that stands in two
  /// types and every excluded column or declared key whose table is in none.
  static base::Result<Selection> make(const std::vector<config::Type>& types, std::int32_t streams);

  /// The same, comparing names without case when `on`, as a server with lower_case_table_names 1 or 2 does (ASCII
  /// letters only). Its choices are not those of this one.
  [[nodiscard]] Selection folded(bool on) const;

  /// Null when no type names the table.
  [[nodiscard]] const TableChoice* find(std::string_view database, std::string_view table) const;
  [[nodiscard]] std::span<const TableChoice> tables() const noexcept { return tables_; }
  [[nodiscard]] std::int32_t streams() const noexcept { return streams_; }

 private:
  [[nodiscard]] std::string key(std::string_view database, std::string_view table) const;

  std::vector<TableChoice> tables_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::int32_t streams_ = 1;
  bool fold_ = false;
};

}  // namespace datasync::capture
