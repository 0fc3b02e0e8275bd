#pragma once

#include <string>
#include <vector>

namespace datasync::test {

/// A table with rows at the edges of its types. Statements name the table `{}`, for fmt or a plain replacement.
struct EdgeTable {
  std::string name;        ///< without database, not quoted
  std::string definition;  ///< what follows the name in CREATE TABLE
  /// Rows from `id` on: INSERT statements, with `id` counting up from the number given.
  std::vector<std::string> inserts(int first_id) const;
  /// Every row with that first id gets the values of the next row; then every third is deleted.
  std::vector<std::string> updates(int first_id) const;
  std::vector<std::string> deletes(int first_id) const;

  std::vector<std::string> columns;            ///< quoted, without the id
  std::vector<std::vector<std::string>> rows;  ///< SQL expressions, one for each of `columns`
};

/// All of them; the id is the column `id`, first in the table, INT PRIMARY KEY.
std::vector<EdgeTable> edge_tables();

/// Tables with keys of their own: statements for insert, update and delete stand written out.
struct KeyTable {
  std::string name, definition;
  std::vector<std::string> before;  ///< run before the agents start
  std::vector<std::string> after;   ///< run while they stream
};
std::vector<KeyTable> key_tables();

/// Session settings in which all of these values can be written.
std::vector<std::string> edge_session();

}  // namespace datasync::test
