#pragma once
// Tables over every column type of MariaDB with its parameters, and values at the edges and by chance.

#include <random>
#include <string>
#include <vector>

namespace datasync::test {

struct AgreeColumn {
  std::string type;                 ///< what follows the name in CREATE TABLE
  std::vector<std::string> values;  ///< SQL expressions; a generated column has none
};

struct AgreeTable {
  std::string name;
  std::vector<AgreeColumn> columns;  ///< c0, c1, ...
  bool old_temporal = false;         ///< made with mysql56_temporal_format=OFF
  std::string time_zone = "+00:00";  ///< of the session that writes
};

/// `charsets`: those of the server; `vectors`: it has the type VECTOR.
std::vector<AgreeTable> agree_tables(std::mt19937_64& random, const std::vector<std::string>& charsets);

}  // namespace datasync::test
