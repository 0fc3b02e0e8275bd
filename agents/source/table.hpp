#pragma once
// What a source says of one table, and what is wrong with it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/reason.hpp"
#include "agents/message/definition.hpp"
#include "agents/message/schema.hpp"
#include "agents/source/selection.hpp"

namespace datasync::source {

/// A foreign key of a table.
struct ForeignKey {
  std::string parent_database, parent_table;
};

/// The definition of a table as the server has it now, in the terms of messages. Complete: what the user's privileges
/// hide is never read as absent.
struct TableInfo {
  message::TableSchema schema;  ///< `key`: the primary key; equal to what the stream of changes says
  std::vector<std::vector<std::uint16_t>> unique_keys;  ///< other unique keys, by column index
  bool unique_by_prefix = false;  ///< a unique key covers only the front of a value: different values may clash in it
  std::vector<ForeignKey> foreign_keys;
  /// Those of them that change rows of the table when rows of the parent change, where the stream of changes does not
  /// show that. Sorted by name.
  std::vector<message::ActingKey> acting_keys;
  std::uint64_t rows_estimate = 0;
  std::vector<std::string> unread_columns;  ///< excluded ones of a type that messages do not carry; not in `schema`
};

/// Something that is not as capture needs it.
struct Finding {
  base::Reason reason = base::Reason::PreflightFailed;
  std::string what;  ///< "binlog_format is MIXED"
  std::string fix;   ///< what a user has to do: "SET GLOBAL binlog_format='ROW'"
};

/// What a check of a captured table found.
struct TableFacts {
  const TableChoice* choice = nullptr;
  bool exists = false;            ///< a table of the name, whether or not it can be carried
  std::optional<TableInfo> info;  ///< nothing when it does not exist, or when not all of it could be read
  std::vector<Finding> findings;
  /// Any ALTER TABLE may give columns that are carried other values in rows that are there, without row events.
  bool computes_again = false;
};

/// Excluded columns that the table does not have. `unread`: columns that it has besides those of `full`. Pure.
std::vector<std::string> missing_exclusions(const TableChoice& table, const message::TableSchema& full,
                                            const std::vector<std::string>& unread = {});

}  // namespace datasync::source
