#pragma once
// What a server says of its tables, for programs that run the statements of ddl_grammar.hpp.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/support/ddl_grammar.hpp"
#include "tests/support/session.hpp"

namespace datasync::test {

/// A table, its definition and its rows. Columns are in the order of the definition; a row is one text for each.
struct DdlTableState {
  DdlTable table;
  std::string definition;                      ///< SHOW CREATE TABLE without AUTO_INCREMENT=n
  std::vector<std::vector<std::string>> rows;  ///< in no order; NULL is "NULL", other values have a prefix
};

/// The columns, indexes and partitions that SHOW CREATE TABLE names.
DdlTable parse_definition(const std::string& database, const std::string& name, const std::string& definition);

/// All tables of these databases, by "database.name"; no views and sequences. A table that cannot be read has no rows
/// and the error as its definition.
std::map<std::string, DdlTableState> read_tables(Session& session, std::span<const std::string> databases);

}  // namespace datasync::test
