// What the dump thread does so that the values of excluded columns stay where they are, whatever a statement does to
// the columns of a table, captured or not.

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/plan/filled_columns.hpp"
#include "agents/capture/stream/pipeline.hpp"

namespace datasync::capture {

ColumnNames Pipeline::column_names(const source::Statement& query) const {
  return column_names_of(query.sql, query.context, query.judgement.certain && !query.context.failed);
}

/// It is not known which columns of a table the statement fills, or with what. `moved`: its columns that have values of
/// excluded ones, which are sources as well.
bool Pipeline::moves_unjudged(const source::Statement& query, const std::vector<message::MovedColumn>& moved) const {
  if (catalog_.excluded().empty()) return false;
  if (!names_are_known(query.sql, query.context)) return true;
  if (query.judgement.certain) return false;
  if (!names_are_certain(query.sql, query.context)) return true;
  auto columns = catalog_.excluded();
  for (const auto& m : moved) columns.push_back(m.is);
  return names_any(query.sql, query.context, columns);
}

base::Result<void> Pipeline::take_moves(const source::Statement& query) {
  taken_.clear();
  if (catalog_.excluded().empty()) return {};
  const auto names = column_names(query);
  DS_ASSIGN(taken_, catalog_.take_moves({query.judgement, names, like_table(query.sql, query.context),
                                         [&](const auto& moved) { return moves_unjudged(query, moved); }, gtid_}));
  return {};
}

std::vector<message::MovedColumn> Pipeline::taken_by(const TableChoice& table) const {
  const auto at = std::ranges::find(taken_, &table, &TakenMoves::table);
  return at == taken_.end() ? std::vector<message::MovedColumn>() : at->moved;
}

/// A statement that cannot be judged is one that may give any column of the table the values of an excluded one.
base::Result<void> Pipeline::check_judged(const TableStatement& s, const source::Statement& query,
                                          const std::string& shown) {
  if (s.table->exclude.empty()) return {};
  auto moved = taken_by(*s.table);
  const bool taken = is_unjudged(moved);
  std::ranges::copy(catalog_.moved(*s.table), std::back_inserter(moved));
  if (!taken && !moves_unjudged(query, moved)) return {};
  return base::Error(
      base::Reason::UnsupportedEvent,
      fmt::format("a statement on {0}, or on the table that has its name now, could not be read to its end: columns of "
                  "{0} may have values of an excluded column since. Name such columns in excludeColumns first; "
                  "transaction {1} at {2}: {3}",
                  s.table->qualified(), gtid_.text(), query.where.text(), shown));
}

}  // namespace datasync::capture
