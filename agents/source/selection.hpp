#pragma once
// Which tables are captured, as what type, on which stream.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/base/identifier.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"

namespace datasync::source {

/// One captured table.
struct TableChoice {
  std::string database, table, type;
  std::int32_t stream = 0;               ///< where all its rows go, see route.hpp
  std::vector<std::string> exclude;      ///< column names, compared without case as everywhere
  std::vector<std::string> key_columns;  ///< declared key; empty: the primary key
  [[nodiscard]] bool excludes(std::string_view column) const;
  [[nodiscard]] std::string qualified() const { return database + "." + table; }
};

/// The types of a capture, turned around: from a table to its type. Immutable: thread-safe.
class Selection {
 public:
  /// Names are "database.table", cut at the first point. Errors: ConfigInvalid naming every table that stands in two
  /// types and every excluded column or declared key whose table is in none.
  static base::Result<Selection> make(const std::vector<config::Type>& types, std::int32_t streams);

  /// The same, comparing names as one server does. Its choices are not those of this one; they keep the names as the
  /// resource writes them, and these are what messages carry, however the server writes them.
  /// Errors: ConfigInvalid naming the tables that this server takes for one.
  [[nodiscard]] base::Result<Selection> as_on(const base::TableNames& names) const;

  /// Null when no type names the table.
  [[nodiscard]] const TableChoice* find(std::string_view database, std::string_view table) const;
  /// The same for "database.table".
  [[nodiscard]] const TableChoice* find(std::string_view qualified) const;
  [[nodiscard]] std::span<const TableChoice> tables() const noexcept { return tables_; }
  [[nodiscard]] std::int32_t streams() const noexcept { return streams_; }
  /// How names are compared: byte by byte, until `as_on` says how a server does it.
  [[nodiscard]] const base::TableNames& names() const noexcept { return names_; }

 private:
  std::vector<TableChoice> tables_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::int32_t streams_ = 1;
  base::TableNames names_;
};

}  // namespace datasync::source
