#pragma once
// How the written columns of a destination table were defined when rows were stored in them, and which changes of that
// may have changed stored values. Pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/destination/dialect.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

struct StoredColumns {
  std::vector<message::Column> columns;           ///< of the destination, those that are written
  std::map<std::string, std::string> restricted;  ///< DestinationFacts::restricted, of these columns
};

/// `there`: all columns of the destination. `written`: names of those that rows are stored in.
StoredColumns stored_columns(const std::vector<message::Column>& there,
                             const std::map<std::string, std::string>& restricted,
                             const std::vector<std::string>& written);

/// One line of ASCII; empty when there is no column.
std::string to_text(const StoredColumns& stored);
/// Nothing for a text that this version does not understand, and for an empty one.
std::optional<StoredColumns> parse_stored_columns(std::string_view text);

/// `stored` without the columns of these names.
StoredColumns without(StoredColumns stored, const std::vector<std::string>& names);
/// Those of `written` that a text of `to_text` does not describe, for example because apply was altering them.
std::vector<std::string> unknown_columns(std::string_view text, const std::vector<std::string>& written);

/// A column whose stored values may have become others when it was altered.
struct ChangedColumn {
  std::string name;
  std::string text;  ///< "DATETIME(6) became DATETIME"
  /// The rows that may have been changed are among those for which this is true; nothing: any row may be.
  std::optional<std::string> suspects;
};

/// Not those of which every value that they may have had is the same now: each value that the old definition takes, or
/// each that `source` (null: unknown) takes, is one that the new definition takes. Columns that are missing now are
/// left out.
std::vector<ChangedColumn> changed_columns(const StoredColumns& before, const StoredColumns& now,
                                           const message::TableSchema* source, const Dialect& dialect);

}  // namespace datasync::apply
