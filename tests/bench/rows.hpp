#pragma once
// The benchmark's rows: the shape of sysbench's table, text of random digits, recreated from the id alone.

#include <cstdint>
#include <string>

#include "agents/message/schema.hpp"

namespace datasync::bench {

struct Row {
  std::int32_t id = 0;
  std::int32_t k = 0;
  std::string c;    ///< 119 characters
  std::string pad;  ///< 59 characters
};

Row make_row(std::uint64_t id);
message::TableSchema row_schema();
/// The body of CREATE TABLE, in brackets, with the secondary key on k.
std::string row_table();
/// "(1,2,'..','..'),..." for rows [first, last].
std::string row_values(std::uint64_t first, std::uint64_t last);

}  // namespace datasync::bench
