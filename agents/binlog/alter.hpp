#pragma once
// What an ALTER TABLE does to the rows that are there already. The binlog holds the statement and no row of it.

#include <string>
#include <vector>

#include "agents/binlog/lexer.hpp"

namespace datasync::binlog {

struct AlterEffects {
  bool values = false;               ///< rows may have other values now than row events told, or values in new columns
  bool primary_key = false;          ///< there is another primary key now
  std::vector<std::string> columns;  ///< those that were there before and are changed or renamed
  std::vector<std::string> added;    ///< new ones; where readers still have a column of the name, its values are wrong
};

/// Reads the actions of an ALTER TABLE, from the first one on: `token` and what follows it in `rest`. An action it does
/// not know counts as one that changes values. (MariaDB knowledge base, ALTER TABLE.)
AlterEffects read_alter(Token token, Lexer rest);

}  // namespace datasync::binlog
