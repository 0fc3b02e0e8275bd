// The part of the reader that reads statements and what they mean for the group that they are in.

#include <fmt/format.h>

#include "agents/source/mariadb/event_reader.hpp"

namespace datasync::binlog {

using base::Bytes;
using base::Error;
using base::Reason;

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
  context.temporary = (header_.flags & kFlagThreadSpecific) != 0;
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

}  // namespace datasync::binlog
