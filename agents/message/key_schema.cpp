#include "agents/message/key_schema.hpp"

namespace datasync::message {

TableSchema key_schema(const TableSchema& schema) {
  TableSchema out;
  out.database = schema.database;
  out.table = schema.table;
  for (const std::uint16_t index : schema.key) {
    out.key.push_back(static_cast<std::uint16_t>(out.columns.size()));
    out.columns.push_back(schema.columns[index]);
  }
  return out;
}

}  // namespace datasync::message
