#pragma once
// Excluded columns hold what nobody is to see: a table is carried only while every one of them is known to be left out.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/message/definition.hpp"

namespace datasync::capture {

/// The error of a table that lacks columns that the resource excludes: they may have other names now, under which they
/// would be carried. PreflightFailed.
base::Error exclusion_missing(const TableChoice& table, const std::vector<std::string>& missing);

/// The error of a table that has values of an excluded column in one that is carried. PreflightFailed.
base::Error exclusion_moved(const TableChoice& table, const std::string& was, const std::string& is);

/// A column with an expression, which may have filled rows that are there, or will fill new ones.
struct FilledColumn {
  std::string column;
  std::vector<std::string> names;  ///< all in the expression, of columns and others
  bool operator==(const FilledColumn&) const = default;
};

/// What a statement did to the names and the values of columns.
struct ColumnNames {
  std::vector<std::pair<std::string, std::string>> renamed;  ///< old and new name; the old ones are those of before it
  std::vector<std::string> dropped;
  std::vector<FilledColumn> filled;
  std::vector<std::string> added;  ///< a column that had the name before is not this one
  bool certain = false;            ///< it is proved to have done that; false: it may have done it, or a part
};
/// Where the values of excluded columns are after a statement. Without this, names exchanged by several statements
/// leave a table that has a column of the excluded name, and the values that nobody is to see under another one; and a
/// column keeps the values that an expression gave it, also when the expression is removed.
std::vector<message::MovedColumn> moved_by(const TableChoice& table, const std::vector<message::MovedColumn>& before,
                                           const ColumnNames& names);
/// The move by which a column of this name, which is carried, has the values of an excluded one; null: none.
const message::MovedColumn* shown_by_name(const TableChoice& table, const std::vector<message::MovedColumn>& moved,
                                          std::string_view column);

}  // namespace datasync::capture
