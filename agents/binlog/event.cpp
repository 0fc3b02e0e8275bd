#include "agents/binlog/event.hpp"

#include <array>

#include <fmt/format.h>
#include <zlib.h>

#include "agents/base/text.hpp"

namespace datasync::binlog {
namespace {

using base::Bytes;
using base::Cursor;
using base::Error;
using base::Reason;

Error damaged(std::string_view what, const Where& where) {
  return {Reason::BinlogCorrupt, fmt::format("{} event at {} is damaged", what, where.text())};
}

const Bytef* raw(const std::byte* p) noexcept {
  return reinterpret_cast<const Bytef*>(p);
}

/// Reads the status variables we need. Servers write them in the order of their codes, with few exceptions. Nothing
/// after an unknown code can be read (https://mariadb.com/kb/en/query_event/, log_event.h of the server).
void read_status(Cursor status, QueryEvent& out) noexcept {
  const auto skip_text = [&] { status.skip(status.get<std::uint8_t>()); };
  while (!status.empty() && status.ok()) {
    switch (status.get<std::uint8_t>()) {
      case 0:   // flags2
      case 3:   // auto increment
      case 10:  // master data written
        status.skip(4);
        break;
      case 1:
        out.sql_mode = status.get<std::uint64_t>();
        out.sql_mode_known = status.ok();
        break;
      case 2:  // catalog, with a zero at its end
        skip_text();
        status.skip(1);
        break;
      case 4:
        out.client_collation = status.get<std::uint16_t>();
        status.skip(4);  // collations of the connection and the server
        break;
      case 5:  // time zone
      case 6:  // catalog
        skip_text();
        break;
      case 7:  // language of day and month names
      case 8:  // collation of the database
        status.skip(2);
        break;
      case 9:    // tables of a multi-table update
      case 129:  // xid
        status.skip(8);
        break;
      case 11:  // user and host
        skip_text();
        skip_text();
        break;
      case 13:   // microseconds
      case 128:  // the same, in MariaDB
        status.skip(3);
        break;
      case 130: {  // more GTID flags, with the sequence number of an ALTER that is committed or rolled back
        constexpr std::uint8_t kEndsAlter = GtidEvent::kCommitAlter | GtidEvent::kRollbackAlter;
        if ((status.get<std::uint8_t>() & kEndsAlter) != 0) status.skip(8);
        break;
      }
      default:
        return;
    }
  }
}

base::Result<QueryEvent> parse_statement(Bytes body, std::size_t more_post_header, std::string_view name,
                                         const Where& where) {
  Cursor in(body);
  QueryEvent out;
  in.skip(8);  // thread id, execution time
  const auto database_length = in.get<std::uint8_t>();
  out.error = in.get<std::uint16_t>();
  const auto status_length = in.get<std::uint16_t>();
  in.skip(more_post_header);
  read_status(Cursor(in.take(status_length)), out);
  out.database = in.text(database_length);
  in.skip(1);
  if (!in.ok()) return damaged(name, where);
  out.sql = base::as_text(in.rest());
  return out;
}

}  // namespace

std::string Where::text() const {
  return fmt::format("{}:{}", file.empty() ? "binlog" : file, position);
}

base::Result<EventHeader> parse_header(Bytes event, std::string_view file) {
  Cursor in(event);
  EventHeader h;
  h.timestamp = in.get<std::uint32_t>();
  h.type = static_cast<EventType>(in.get<std::uint8_t>());
  h.server_id = in.get<std::uint32_t>();
  h.size = in.get<std::uint32_t>();
  h.next_position = in.get<std::uint32_t>();
  h.flags = in.get<std::uint16_t>();
  if (!in.ok() || h.size != event.size()) {
    return Error(Reason::BinlogCorrupt, fmt::format("the event that ends at {} says it has {} bytes but {} arrived",
                                                    Where{file, h.next_position}.text(), h.size, event.size()));
  }
  return h;
}

bool checksum_fits(Bytes event) noexcept {
  if (event.size() < kHeaderSize + kChecksumSize) return false;
  constexpr std::size_t kFlagsAt = 17;
  const auto length = event.size() - kChecksumSize;
  auto crc = crc32_z(0, raw(event.data()), kFlagsAt);
  const auto flags = static_cast<Bytef>(std::to_integer<unsigned>(event[kFlagsAt]) & ~unsigned{kFlagInUse});
  crc = crc32_z(crc, &flags, 1);
  crc = crc32_z(crc, raw(event.data()) + kFlagsAt + 1, length - kFlagsAt - 1);
  std::uint32_t stored = 0;
  std::memcpy(&stored, event.data() + length, sizeof stored);
  return stored == crc;
}

std::uint8_t FormatDescription::post_header(EventType type) const noexcept {
  const auto index = static_cast<std::size_t>(type) - 1;
  return index < post_header_lengths.size() ? std::to_integer<std::uint8_t>(post_header_lengths[index])
                                            : std::uint8_t{0};
}

base::Result<FormatDescription> parse_format_description(Bytes event, const Where& where) {
  Cursor in(event);
  in.skip(kHeaderSize);
  const auto version = in.get<std::uint16_t>();
  FormatDescription out;
  out.server = in.text(50);
  out.server = out.server.substr(0, out.server.find('\0'));
  out.created = in.get<std::uint32_t>();
  const auto header_length = in.get<std::uint8_t>();
  // Every server that writes GTIDs ends this event with the checksum algorithm and space for the checksum.
  if (!in.ok() || in.left() < 1 + kChecksumSize || header_length != kHeaderSize)
    return damaged("FORMAT_DESCRIPTION", where);
  if (version != 4)
    return Error(Reason::UnsupportedEvent, fmt::format("binlog format version {} at {}", version, where.text()));
  out.post_header_lengths = in.take(in.left() - 1 - kChecksumSize);
  switch (const auto algorithm = in.get<std::uint8_t>()) {
    case 0:
      out.checksum = Checksum::None;
      break;
    case 1:
      out.checksum = Checksum::Crc32;
      break;
    default:
      return Error(Reason::UnsupportedEvent,
                   fmt::format("binlog checksum algorithm {} at {}", algorithm, where.text()));
  }
  return out;
}

base::Result<Rotate> parse_rotate(Bytes body, const Where& where) {
  Cursor in(body);
  Rotate out;
  out.position = in.get<std::uint64_t>();
  out.file = base::as_text(in.rest());
  if (!in.ok() || out.file.empty()) return damaged("ROTATE", where);
  return out;
}

std::string Xid::text() const {
  return fmt::format("X'{}',X'{}',{}", base::to_hex(gtrid), base::to_hex(bqual), format);
}

base::Result<GtidEvent> parse_gtid(Bytes body, const EventHeader& header, const Where& where) {
  Cursor in(body);
  GtidEvent out;
  out.gtid.sequence = in.get<std::uint64_t>();
  out.gtid.domain = in.get<std::uint32_t>();
  out.gtid.server = header.server_id;
  out.flags = in.get<std::uint8_t>();
  if ((out.flags & GtidEvent::kGroupCommit) != 0) out.commit_id = in.get<std::uint64_t>();
  if (out.prepared_xa() || out.completed_xa()) {
    Xid xid;
    xid.format = in.get<std::uint32_t>();
    const auto gtrid = in.get<std::uint8_t>();
    const auto bqual = in.get<std::uint8_t>();
    xid.gtrid = in.text(gtrid);
    xid.bqual = in.text(bqual);
    out.xid = xid;
  }
  if (!in.ok() || out.gtid.sequence == 0) return damaged("GTID", where);
  // Old servers pad with zeros up to the post-header length, which is equivalent to no extra flags.
  if (!in.empty()) out.extra_flags = in.get<std::uint8_t>();
  return out;
}

base::Result<message::GtidSet> parse_gtid_list(Bytes body, const Where& where) {
  Cursor in(body);
  const auto count = in.get<std::uint32_t>() & 0x0FFFFFFFU;  // the high bits are flags
  message::GtidSet out;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    message::Gtid g;
    g.domain = in.get<std::uint32_t>();
    g.server = in.get<std::uint32_t>();
    g.sequence = in.get<std::uint64_t>();
    // The list has the last GTID of every server in a domain; the set keeps the highest.
    if (in.ok()) (void)out.add(g);
  }
  if (!in.ok()) return damaged("GTID_LIST", where);
  return out;
}

base::Result<XaPrepare> parse_xa_prepare(Bytes body, const Where& where) {
  Cursor in(body);
  XaPrepare out;
  out.one_phase = in.get<std::uint8_t>() != 0;
  out.xid.format = in.get<std::uint32_t>();
  const auto gtrid = in.get<std::uint32_t>();
  const auto bqual = in.get<std::uint32_t>();
  out.xid.gtrid = in.text(gtrid);
  out.xid.bqual = in.text(bqual);
  if (!in.ok()) return damaged("XA_PREPARE", where);
  return out;
}

base::Result<QueryEvent> parse_query(Bytes body, const Where& where) {
  return parse_statement(body, 0, "QUERY", where);
}

base::Result<QueryEvent> parse_load_query(Bytes body, const Where& where) {
  constexpr std::size_t kLoadPostHeader = 13;  // file id, two offsets, duplicate handling
  return parse_statement(body, kLoadPostHeader, "EXECUTE_LOAD_QUERY", where);
}

}  // namespace datasync::binlog
