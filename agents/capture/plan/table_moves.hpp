#pragma once
// Where the values of excluded columns are in the tables that a statement names. Pure.

#include <functional>
#include <optional>
#include <vector>

#include "agents/base/identifier.hpp"
#include "agents/binlog/judgement.hpp"
#include "agents/capture/plan/exclusions.hpp"
#include "agents/message/definition.hpp"

namespace datasync::capture {

/// Where the values of excluded columns are in one table.
struct TableMoves {
  binlog::NamedTable name;
  std::vector<message::MovedColumn> moved;  ///< after the statement
  std::vector<message::MovedColumn> taken;  ///< of these, what it has from other tables (RENAME, LIKE, EXCHANGE)
};
/// The tables that a statement names, captured or not, after it: a table that gets the name of a captured one later
/// brings its columns with it. `excluded`: has every column that is excluded of any table. `before`: what was known of
/// a table. `like`: see `like_table`.
std::vector<TableMoves> moves_after(
    const binlog::Judgement& judgement, const ColumnNames& names, const TableChoice& excluded,
    const base::TableNames& table_names, const std::optional<binlog::NamedTable>& like,
    const std::function<std::vector<message::MovedColumn>(const binlog::NamedTable&)>& before);

}  // namespace datasync::capture
