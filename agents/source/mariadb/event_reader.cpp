#include "agents/source/mariadb/event_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace datasync::binlog {
namespace {

using base::Bytes;
using base::Error;
using base::Reason;

bool is_variable(EventType type) noexcept {
  return type == EventType::IntVar || type == EventType::Rand || type == EventType::UserVar;
}

/// The pieces of a LOAD DATA logged by statement; only the statement at their end is of interest.
bool is_load_piece(EventType type) noexcept {
  return type == EventType::BeginLoadQuery || type == EventType::AppendBlock || type == EventType::DeleteFile;
}

}  // namespace

Error EventReader::damaged(std::string_view what) const {
  return {Reason::BinlogCorrupt, fmt::format("{} event at {} {}", to_string(header_.type), where().text(), what)};
}

base::Result<void> EventReader::feed(Bytes event) {
  DS_ASSIGN(header_, parse_header(event, file_));
  ++counters_.events;
  if (header_.next_position >= header_.size) position_ = header_.next_position - header_.size;
  DS_ASSIGN(const auto body, checked_body(event));
  DS_ASSIGN(const bool taken, stream_event(event, body));
  if (taken) return {};
  switch (state_) {
    case State::Outside:
      return outside_event(body);
    case State::Standalone:
      return standalone_event(body);
    case State::Group:
      return group_event(body);
  }
  return unexpected();
}

/// Checks the checksum and takes header and checksum away.
base::Result<Bytes> EventReader::checked_body(Bytes event) {
  // A format description always has room for a checksum, whatever it says about the events after it. Before the first
  // one (a rotate comes first) nobody has told whether there are checksums: the event's own bytes must.
  const bool description = header_.type == EventType::FormatDescription;
  const bool has_one = description || (described_ ? checksum_ == Checksum::Crc32 : checksum_fits(event));
  if (!has_one) return event.subspan(kHeaderSize);
  if (event.size() < kHeaderSize + kChecksumSize) return damaged("is too short");
  if (options_.verify_checksums && !description && described_ && !checksum_fits(event))
    return damaged("fails its checksum");
  return event.subspan(kHeaderSize, event.size() - kHeaderSize - kChecksumSize);
}

/// Events that may stand anywhere. True when it was one.
base::Result<bool> EventReader::stream_event(Bytes event, Bytes body) {
  switch (header_.type) {
    case EventType::FormatDescription:
      DS_TRY(format_description(event));
      return true;
    case EventType::Rotate:
      DS_TRY(rotate(body));
      return true;
    case EventType::Heartbeat:
    case EventType::HeartbeatV2: {
      const auto file = header_.type == EventType::Heartbeat ? base::as_text(body) : std::string_view(file_);
      DS_TRY(handler_.on_heartbeat(file, header_.next_position));
      return true;
    }
    case EventType::GtidList:
      // The dump thread makes one up when it has passed over transactions of the position, also after the GTID event of
      // the first one that it sends (send_fake_gtid_list_event in sql_repl.cc). It is part of no file.
      return (header_.flags & kFlagArtificial) != 0;
    case EventType::Incident:
      DS_TRY(incident(body));
      return true;
    case EventType::BinlogCheckpoint:
    case EventType::StartEncryption:  // the dump thread sends what follows in the clear
    case EventType::AnnotateRows:
    case EventType::RowsQuery:
    case EventType::Ignorable:
      return true;
    default:
      return false;
  }
}

base::Result<void> EventReader::outside_event(Bytes body) {
  switch (header_.type) {
    case EventType::Gtid:
      return gtid(body);
    case EventType::GtidList: {
      DS_ASSIGN(const auto set, parse_gtid_list(body, where()));
      return handler_.on_gtid_list(set);
    }
    case EventType::Stop:
      return {};
    default:
      return unexpected();
  }
}

base::Result<void> EventReader::standalone_event(Bytes body) {
  if (is_variable(header_.type) || is_load_piece(header_.type)) return {};
  switch (header_.type) {
    case EventType::Query:
    case EventType::QueryCompressed:
    case EventType::ExecuteLoadQuery:
      return query(body);
    default:
      return unexpected();
  }
}

base::Result<void> EventReader::group_event(Bytes body) {
  if (const auto kind = rows_kind(header_.type)) return rows(body, *kind);
  if (is_variable(header_.type) || is_load_piece(header_.type)) return {};
  switch (header_.type) {
    case EventType::TableMap:
      return table_map(body);
    case EventType::Query:
    case EventType::QueryCompressed:
    case EventType::ExecuteLoadQuery:
      return query(body);
    case EventType::Xid:
      return commit();
    case EventType::XaPrepare: {
      DS_ASSIGN(const auto prepare, parse_xa_prepare(body, where()));
      if (prepare.one_phase) return commit();
      end_group();
      return handler_.on_xa_prepare(prepare.xid);
    }
    default:
      return unexpected();
  }
}

/// A known type in the wrong place means that events are missing; an unknown type may hold changes, unless it says not.
base::Result<void> EventReader::unexpected() {
  switch (header_.type) {
    case EventType::Stop:
    case EventType::Query:
    case EventType::QueryCompressed:
    case EventType::ExecuteLoadQuery:
    case EventType::IntVar:
    case EventType::Rand:
    case EventType::UserVar:
    case EventType::BeginLoadQuery:
    case EventType::AppendBlock:
    case EventType::DeleteFile:
    case EventType::TableMap:
    case EventType::Xid:
    case EventType::XaPrepare:
    case EventType::Gtid:
    case EventType::GtidList:
      return damaged(state_ == State::Outside ? "is outside of a transaction" : "is inside of a transaction");
    default:
      if (rows_kind(header_.type)) return damaged("is outside of a transaction");
      return unknown();
  }
}

base::Result<void> EventReader::unknown() {
  if ((header_.flags & kFlagIgnorable) != 0) {
    ++counters_.ignored_unknown;
    return {};
  }
  return Error(Reason::UnsupportedEvent, fmt::format("{} at {}", to_string(header_.type), where().text()));
}

base::Result<void> EventReader::format_description(Bytes event) {
  DS_ASSIGN(const auto description, parse_format_description(event, where()));
  if (description.checksum == Checksum::Crc32 && options_.verify_checksums && !checksum_fits(event))
    return damaged("fails its checksum");
  described_ = true;
  checksum_ = description.checksum;
  // A file that a (re)started server opens: what was not committed before is rolled back, and table ids start again.
  if (header_.artificial() || description.created == 0) return {};
  known_.clear();
  open_.clear();
  if (state_ == State::Outside) return {};
  end_group();
  return handler_.on_broken_off();
}

base::Result<void> EventReader::rotate(Bytes body) {
  DS_ASSIGN(const auto to, parse_rotate(body, where()));
  file_ = to.file;
  position_ = to.position;
  return handler_.on_rotate(file_, to.position, header_.artificial());
}

base::Result<void> EventReader::incident(Bytes body) {
  base::Cursor in(body);
  in.skip(2);  // its number
  const auto text = in.text(in.get<std::uint8_t>());
  return handler_.on_incident(in.ok() ? text : std::string_view(), where());
}

base::Result<void> EventReader::gtid(Bytes body) {
  DS_ASSIGN(const auto event, parse_gtid(body, header_, where()));
  state_ = event.standalone() ? State::Standalone : State::Group;
  xa_prepared_ = event.prepared_xa();
  xa_completed_ = event.completed_xa();
  pending_ = event.start_alter() || event.rollback_alter();
  if (event.xid) {
    xid_bytes_.assign(event.xid->gtrid).append(event.xid->bqual);
    const std::string_view all(xid_bytes_);
    xid_ = {event.xid->format, all.substr(0, event.xid->gtrid.size()), all.substr(event.xid->gtrid.size())};
  }
  return handler_.on_gtid(event, header_, where());
}

base::Result<void> EventReader::commit() {
  if (xa_prepared_ && header_.type == EventType::Xid) return damaged("ends an XA transaction that should be prepared");
  end_group();
  return handler_.on_commit(header_);
}

base::Result<void> EventReader::rollback() {
  end_group();
  return handler_.on_rollback();
}

void EventReader::end_group() noexcept {
  state_ = State::Outside;
  open_.clear();
  xa_prepared_ = false;
  xa_completed_ = false;
}

}  // namespace datasync::binlog
