#include "agents/binlog/reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace datasync::binlog {
namespace {

using base::Bytes;
using base::Error;
using base::Reason;

constexpr std::size_t kMostKnownTables = 4096;
constexpr std::size_t kScratchKept = std::size_t{4} << 20U;

bool is_variable(EventType type) noexcept {
  return type == EventType::IntVar || type == EventType::Rand || type == EventType::UserVar;
}

/// The pieces of a LOAD DATA logged by statement; only the statement at their end is of interest.
bool is_load_piece(EventType type) noexcept {
  return type == EventType::BeginLoadQuery || type == EventType::AppendBlock || type == EventType::DeleteFile;
}

constexpr std::size_t kBeforeNames = 8;  // id and flags

/// Where the names in a table map end, with their lengths and ends.
std::size_t name_end(const TableName& name) noexcept {
  return kBeforeNames + name.database.size() + name.table.size() + 4;
}

/// The names in a table map, as many bytes as `like` takes.
std::string_view name_bytes(std::string_view map, const TableName& like) noexcept {
  return map.size() < name_end(like) ? std::string_view() : map.substr(kBeforeNames, name_end(like) - kBeforeNames);
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
      return damaged(state_ == State::Outside ? "stands outside of a transaction" : "stands inside of a transaction");
    default:
      if (rows_kind(header_.type)) return damaged("stands outside of a transaction");
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

base::Result<void> EventReader::table_map(Bytes body) {
  DS_ASSIGN(const auto name, parse_table_name(body, where()));
  if (!known_.contains(name.id.value())) forget_older(name, body);
  auto& known = known_[name.id.value()];
  if (known.bytes != base::as_text(body)) {
    known.bytes.clear();
    known.token = kUnwanted;
    if (handler_.wants(name.database, name.table)) {
      DS_ASSIGN(const auto map, parse_table_map(body, where()));
      DS_ASSIGN(known.token, handler_.on_table(map, where()));
    }
    // Of a table that is not wanted the names are enough: it is asked about again each time.
    known.bytes = known.token == kUnwanted ? base::as_text(body).substr(0, name_end(name)) : base::as_text(body);
  }
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const OpenTable& t) { return t.id == name.id; });
  if (at != open_.end()) {
    at->token = known.token;
  } else {
    open_.push_back({name.id, known.token});
  }
  return {};
}

/// A table that the server opens anew gets a new id; its older one comes back only in a transaction begun before.
void EventReader::forget_older(const TableName& name, Bytes body) {
  if (known_.size() >= kMostKnownTables) known_.clear();
  const auto named = name_bytes(base::as_text(body), name);
  std::erase_if(known_, [&](const auto& k) { return name_bytes(k.second.bytes, name) == named; });
}

base::Result<void> EventReader::rows(Bytes body, RowsKind kind) {
  DS_ASSIGN(const auto head, parse_rows_head(body, where()));
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const OpenTable& t) { return t.id == head.table; });
  if (at == open_.end() && !is_dummy(head.table))
    return damaged(fmt::format("is for table id {}, which no table map in its statement names", head.table.value()));
  if (at == open_.end() || at->token == kUnwanted) {
    ++counters_.unwanted_rows_events;
  } else {
    const auto token = at->token;
    if (scratch_.capacity() > kScratchKept) scratch_ = base::Buffer();
    DS_ASSIGN(const auto event, parse_rows(body, kind, where(), inflater_, scratch_, options_.max_inflated));
    DS_TRY(handler_.on_rows(token, event));
  }
  if (head.statement_end) open_.clear();
  return {};
}

base::Result<QueryEvent> EventReader::plain_query(Bytes body) {
  if (header_.type == EventType::ExecuteLoadQuery) return parse_load_query(body, where());
  DS_ASSIGN(auto event, parse_query(body, where()));
  if (header_.type != EventType::QueryCompressed) return event;
  const auto packed = read_event_header(base::as_bytes(event.sql));
  scratch_.clear();
  if (packed && packed->length > options_.max_inflated)
    return Error(Reason::RowTooLarge,
                 fmt::format("{} event at {} has {} bytes when it is not compressed; the agent's "
                             "memory limit allows {}",
                             to_string(header_.type), where().text(), packed->length, options_.max_inflated));
  if (!packed || !inflater_.inflate(*packed, scratch_.grow(packed->length))) return damaged("does not inflate");
  event.sql = scratch_.text();
  return event;
}

std::optional<std::string> Handler::to_utf8(std::string_view, std::string_view) {
  return std::nullopt;
}

base::Result<void> EventReader::query(Bytes body) {
  DS_ASSIGN(const auto event, plain_query(body));
  StatementContext context;
  context.database = event.database;
  context.quoting = Quoting::of(event.sql_mode);
  context.quoting_known = event.sql_mode_known;
  context.charset = charset_of_collation(event.client_collation);
  context.to_utf8 = [this](std::string_view charset, std::string_view text) { return handler_.to_utf8(charset, text); };
  context.names = handler_.table_names();
  context.failed = event.error != 0;
  // LOAD DATA by statement names its table in a statement like any other.
  const auto judgement = judge(event.sql, context);
  const QueryInfo info{event, where(), judgement, context};
  return state_ == State::Standalone ? standalone_query(info) : group_query(info);
}

base::Result<void> EventReader::standalone_query(const QueryInfo& info) {
  const auto kind = info.judgement.control;
  if (kind == Control::XaCommit || kind == Control::XaRollback) {
    if (!xa_completed_) return damaged("completes an XA transaction that its GTID does not name");
    end_group();
    return kind == Control::XaCommit ? handler_.on_xa_commit(xid_) : handler_.on_xa_rollback(xid_);
  }
  // With binlog_alter_two_phase the statement counts when its second GTID, the commit of the ALTER, comes.
  if (!pending_) DS_TRY(handler_.on_query(info));
  return commit();
}

base::Result<void> EventReader::group_query(const QueryInfo& info) {
  switch (info.judgement.control) {
    case Control::Begin:
    case Control::XaStart:
    case Control::XaEnd:
      return {};
    case Control::Commit:
      return commit();
    case Control::Rollback:
      return rollback();
    default:
      return handler_.on_query(info);
  }
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
