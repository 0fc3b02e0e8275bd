#pragma once
// From a judgement of a statement to what it means for each captured table. Pure.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/binlog/judgement.hpp"
#include "agents/capture/plan/selection.hpp"

namespace datasync::capture {

/// What one statement did to one captured table, all in all.
struct TableStatement {
  const TableChoice* table = nullptr;
  bool gone = false;        ///< no table has the name after it
  std::string renamed_to;   ///< gone: the name it has now, if it was renamed
  bool truncated = false;   ///< all rows were deleted, and nothing else happened
  bool created = false;     ///< a new table has the name
  bool replaced = false;    ///< created: in place of one that may have existed
  bool if_missing = false;  ///< created: only if there was none
  bool rows = false;        ///< rows came, disappeared or changed without row events; another table may have the name
  bool values = false;      ///< rows that were there may have other values
  bool key = false;         ///< it may have another primary key
  bool by_text = false;     ///< rows were written by the text of the statement
  std::vector<std::string> columns;  ///< that were there before and may be others now
  std::vector<std::string> added;    ///< columns that are new
  bool others = false;               ///< columns that are not named may be others too

  bool operator==(const TableStatement&) const = default;
};

/// One entry for each captured table that the statement concerns. `uncertain`: those that it may concern in some
/// reading, when the judgement is not certain.
std::vector<TableStatement> concerned(const binlog::Judgement& judgement, const Selection& selection,
                                      const std::vector<const TableChoice*>& uncertain);

/// The statement gives a table something that changes rows without row events, or leaves its rows behind another key:
/// foreign keys with actions (unless `cascades_allowed`), system versioning, an engine without transactions. Rows may
/// have changed in silence while the table had it, also when it has it no more.
bool may_hide_changes(std::string_view sql, const binlog::StatementContext& context, bool cascades_allowed);

/// Columns that an ALTER TABLE renames: old and new name.
std::vector<std::pair<std::string, std::string>> renamed_columns(std::string_view sql,
                                                                 const binlog::StatementContext& context);
/// Columns that an ALTER TABLE drops.
std::vector<std::string> dropped_columns(std::string_view sql, const binlog::StatementContext& context);

/// Names that may be those of other tables after a statement. With foreign keys that act by themselves, that concerns
/// the tables that refer to them too. An empty table name means the whole database.
/// `is_gone`: no table had the name before; else CREATE TABLE IF NOT EXISTS did nothing.
std::vector<binlog::NamedTable> parents_concerned(const binlog::Judgement& judgement,
                                                  const std::function<bool(const binlog::NamedTable&)>& is_gone);

}  // namespace datasync::capture
