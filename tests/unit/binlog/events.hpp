#pragma once
// Makes binlog events for tests.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/binlog/event.hpp"
#include "agents/binlog/table_map.hpp"

namespace datasync::binlog::test {

struct EventSpec {
  EventType type = EventType::Query;
  std::string body;
  std::uint16_t flags = 0;
  std::uint32_t next_position = 1000;
  std::uint32_t server = 1;
  bool checksum = true;
};
std::string make_event(const EventSpec& spec);

/// A format description; `created` not 0 means that the server started with this file.
std::string format_description(Checksum checksum, std::uint32_t created = 0);
std::string gtid_event(std::uint64_t sequence, std::uint8_t flags);
std::string query_event(std::string_view database, std::string_view sql, std::uint64_t sql_mode = 0,
                        std::uint16_t flags = 0);

/// Little-endian bytes of `value`.
std::string le(std::uint64_t value, std::size_t bytes);

struct MapSpec {
  std::uint64_t id = 42;
  std::string database = "d";
  std::string table = "t";
  std::string types;     ///< a byte for each column
  std::string metadata;  ///< as the types want it
  std::string nullable;  ///< bitmap
  std::string optional;  ///< the optional metadata block
};
std::string table_map_body(const MapSpec& spec);
/// One field of the optional metadata block.
std::string metadata_field(std::uint8_t type, const std::string& value);
/// COLUMN_NAME and SIMPLE_PRIMARY_KEY (the first column).
std::string names_and_key(const std::vector<std::string>& names);

/// A rows event's body of version 1 with all columns present.
std::string rows_body(std::uint64_t table, std::uint8_t columns, const std::string& rows, bool update = false,
                      bool statement_end = true);

}  // namespace datasync::binlog::test
