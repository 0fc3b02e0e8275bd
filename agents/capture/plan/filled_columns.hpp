#pragma once
// What the text of a statement says about where the values of columns come from. The binlog has no other trace of it:
// by the time that capture reads the statement, the table may have lost the expression and kept the values. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/binlog/judgement.hpp"
#include "agents/capture/plan/exclusions.hpp"

namespace datasync::capture {

/// Everything that an ALTER TABLE or CREATE TABLE does to the names and the values of columns.
ColumnNames column_names_of(std::string_view sql, const binlog::StatementContext& context, bool certain);

/// Columns of ALTER TABLE and CREATE TABLE that have an expression (DEFAULT ..., AS (...)), with all names in it.
std::vector<FilledColumn> filled_columns(std::string_view sql, const binlog::StatementContext& context);
/// Columns that an ALTER TABLE adds, without those that it adds only if there are none of the name.
std::vector<std::string> added_columns(std::string_view sql, const binlog::StatementContext& context);
/// The table whose definition CREATE TABLE ... LIKE takes.
std::optional<binlog::NamedTable> like_table(std::string_view sql, const binlog::StatementContext& context);

/// False: a name, of a column perhaps, cannot be converted to UTF-8. No judgement says so of names in expressions.
bool names_are_known(std::string_view sql, const binlog::StatementContext& context);
/// False: where names and strings begin and end is not certain, so the functions above may have missed a column.
bool names_are_certain(std::string_view sql, const binlog::StatementContext& context);
/// One of these names occurs in the statement, wherever.
bool names_any(std::string_view sql, const binlog::StatementContext& context, const std::vector<std::string>& columns);

}  // namespace datasync::capture
