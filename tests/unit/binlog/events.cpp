#include "tests/unit/binlog/events.hpp"

#include <zlib.h>

namespace datasync::binlog::test {

std::string le(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  return out;
}

std::string make_event(const EventSpec& spec) {
  const auto size = kHeaderSize + spec.body.size() + (spec.checksum ? kChecksumSize : 0);
  auto out = le(1700000000, 4) + le(static_cast<std::uint8_t>(spec.type), 1) + le(spec.server, 4) + le(size, 4) +
             le(spec.next_position, 4) + le(spec.flags, 2) + spec.body;
  if (spec.checksum) {
    auto unflagged = out;
    unflagged[17] = static_cast<char>(unflagged[17] & ~1);
    out += le(crc32_z(0, reinterpret_cast<const Bytef*>(unflagged.data()), unflagged.size()), 4);
  }
  return out;
}

std::string format_description(Checksum checksum, std::uint32_t created) {
  std::string server = "10.11.19-MariaDB-log";
  server.resize(50, '\0');
  const auto body = le(4, 2) + server + le(created, 4) + le(kHeaderSize, 1) + std::string(171, '\x08') +
                    le(checksum == Checksum::Crc32 ? 1 : 0, 1);
  return make_event({.type = EventType::FormatDescription, .body = body, .next_position = 256});
}

std::string gtid_event(std::uint64_t sequence, std::uint8_t flags) {
  return make_event(
      {.type = EventType::Gtid, .body = le(sequence, 8) + le(0, 4) + le(flags, 1) + std::string(6, '\0')});
}

std::string query_event(std::string_view database, std::string_view sql, std::uint64_t sql_mode, std::uint16_t flags) {
  const auto status = std::string(1, '\0') + le(0, 4) + "\x01" + le(sql_mode, 8);
  const auto body = le(7, 4) + le(0, 4) + le(database.size(), 1) + le(0, 2) + le(status.size(), 2) + status +
                    std::string(database) + std::string(1, '\0') + std::string(sql);
  return make_event({.type = EventType::Query, .body = body, .flags = flags});
}

std::string table_map_body(const MapSpec& spec) {
  return le(spec.id, 6) + le(1, 2) + le(spec.database.size(), 1) + spec.database + std::string(1, '\0') +
         le(spec.table.size(), 1) + spec.table + std::string(1, '\0') + le(spec.types.size(), 1) + spec.types +
         le(spec.metadata.size(), 1) + spec.metadata + spec.nullable + spec.optional;
}

std::string metadata_field(std::uint8_t type, const std::string& value) {
  return le(type, 1) + le(value.size(), 1) + value;
}

std::string names_and_key(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& n : names) all += le(n.size(), 1) + n;
  return metadata_field(4, all) + metadata_field(8, std::string(1, '\0'));
}

std::string rows_body(std::uint64_t table, std::uint8_t columns, const std::string& rows, bool update,
                      bool statement_end) {
  const std::string present((columns + 7U) / 8U, '\xff');
  return le(table, 6) + le(statement_end ? 1 : 0, 2) + le(columns, 1) + present + (update ? present : "") + rows;
}

}  // namespace datasync::binlog::test
