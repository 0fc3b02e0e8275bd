#include "agents/source/mariadb/change_reader.hpp"

#include <utility>

namespace datasync::source::mariadb {
namespace {

using base::Error;
using base::Reason;

// In the event header.
constexpr std::size_t kTypeAt = 4, kSizeAt = 9, kNextPositionAt = 13;
constexpr std::uint64_t kFourGiB = std::uint64_t{1} << 32U;
constexpr std::uint64_t kMicros = 1'000'000;

binlog::EventType type_of(base::Bytes event) noexcept {
  return event.size() < binlog::kHeaderSize ? binlog::EventType::Unknown
                                            : static_cast<binlog::EventType>(event[kTypeAt]);
}

std::uint32_t size_of(base::Bytes event) noexcept {
  return base::Cursor(event.subspan(kSizeAt)).get<std::uint32_t>();
}

}  // namespace

ChangeReader::ChangeReader(message::GtidSet from, bool in_hole, std::uint64_t max_inflated,
                           const std::vector<FallenNumbers>& fallen)
    : max_inflated_(max_inflated),
      reader_(*this, {.max_inflated = max_inflated}),
      order_(std::move(from), in_hole, fallen) {}

base::Result<void> ChangeReader::take(ChangeHandler& handler, base::Bytes event, bool whole) {
  to_ = &handler;
  large_.clear();
  handler.on_heard();
  move_place(event);
  return whole ? feed(event) : reader_.pass_over(event);
}

/// The header has 32 bits for a position that may be above 4 GiB.
void ChangeReader::move_place(base::Bytes event) {
  if (event.size() < binlog::kHeaderSize) return;
  base::Cursor cursor(event.subspan(kNextPositionAt));
  const std::uint64_t next = cursor.get<std::uint32_t>();
  if (next == 0) return;
  const auto now = place_.offset();
  const auto candidate = now / kFourGiB * kFourGiB + next;
  if (candidate >= now)
    place_.set_offset(candidate);
  else if (now - candidate > kFourGiB / 2)
    place_.set_offset(candidate + kFourGiB);
}

base::Result<void> ChangeReader::feed(base::Bytes event) {
  if (auto fed = reader_.feed(event); !fed) return unreadable(event, std::move(fed).error());
  // The server sends a heartbeat only when it has sent everything.
  const auto type = type_of(event);
  const bool heartbeat = type == binlog::EventType::Heartbeat || type == binlog::EventType::HeartbeatV2;
  return unread_ && heartbeat ? end_unread() : base::Result<void>();
}

base::Result<void> ChangeReader::unreadable(base::Bytes event, Error error) {
  DS_TRY(to_->on_unreadable(std::move(error)));
  unread_ = true;
  if (type_of(event) != binlog::EventType::Gtid) return {};
  DS_TRY(end_unread());
  return feed(event);
}

/// The event that ended the transaction was one of those that could not be read.
base::Result<void> ChangeReader::end_unread() {
  reader_.abandon();
  unread_ = false;
  doubtful_.reset();
  return to_->on_end_unread(place_);
}

bool ChangeReader::wants_whole(ChangeHandler& handler, base::Bytes front) {
  to_ = &handler;
  if (!reader_.needs_whole(front) || skips(front)) return false;
  large_ = reader_.name_of(front);
  return true;
}

/// Rows need not be held, however many they are, nor a statement that is too large to be. What begins and ends
/// transactions is never that large.
bool ChangeReader::skips(base::Bytes front) {
  if (!to_->skips() || front.size() < binlog::kHeaderSize) return false;
  const bool rows = binlog::rows_kind(type_of(front)).has_value();
  if (!rows && size_of(front) < max_inflated_) return false;
  to_->on_skipped(rows);
  unread_ = unread_ || !rows;  // it may have been the one statement of the transaction
  return true;
}

Error ChangeReader::lost(const ChangeHandler& handler, Error error) const {
  if (large_.empty()) return error;
  error = std::move(error).context(large_);
  return error.is(Reason::RowTooLarge) ? handler.too_large(std::move(error)) : error;
}

base::Result<void> ChangeReader::on_gtid(const binlog::GtidEvent& gtid, const binlog::EventHeader& header,
                                         const binlog::Where&) {
  if (doubtful_) DS_TRY(settle_doubtful(*doubtful_ != gtid.gtid));  // a file without a list
  const bool before_start = order_.precedes(gtid.gtid);
  if (!before_start) DS_TRY(order_.transaction(gtid.gtid));
  unread_ = false;
  open_ = gtid.gtid;
  const auto xid = gtid.xid ? gtid.xid->text() : std::string();
  return to_->on_begin({gtid.gtid, header.timestamp * kMicros, gtid.prepared_xa(), xid, before_start}, place_);
}

base::Result<TableToken> ChangeReader::on_table(const binlog::TableMap& map, const binlog::Where& where) {
  return to_->on_table(map, where);
}

base::Result<void> ChangeReader::on_rows(TableToken table, const binlog::RowsEvent& rows) {
  return to_->on_rows(table, rows);
}

base::Result<void> ChangeReader::on_query(const binlog::QueryInfo& query) {
  return to_->on_statement({query.event.sql, query.where, query.judgement, query.context});
}

std::optional<std::string> ChangeReader::to_utf8(std::string_view charset, std::string_view text) {
  return to_->to_utf8(charset, text);
}

base::Result<void> ChangeReader::on_commit(const binlog::EventHeader&) {
  unread_ = false;
  return to_->on_commit(place_);
}

base::Result<void> ChangeReader::on_rollback() {
  unread_ = false;
  return to_->on_rollback(place_);
}

base::Result<void> ChangeReader::on_broken_off() {
  // What could not be read may have been its end: the list of the new file knows.
  if (std::exchange(unread_, false)) {
    doubtful_ = open_;
    return {};
  }
  order_.broken_off();
  return to_->on_broken_off(place_);
}

base::Result<void> ChangeReader::settle_doubtful(bool over) {
  doubtful_.reset();
  if (over) return to_->on_end_unread(place_);
  order_.broken_off();
  return to_->on_broken_off(place_);
}

base::Result<void> ChangeReader::on_xa_prepare(const binlog::Xid& xid) {
  unread_ = false;
  return to_->on_xa_prepare(xid.text(), place_);
}

base::Result<void> ChangeReader::on_xa_commit(const binlog::Xid& xid) {
  unread_ = false;
  return to_->on_xa_commit(xid.text(), place_);
}

base::Result<void> ChangeReader::on_xa_rollback(const binlog::Xid& xid) {
  unread_ = false;
  return to_->on_xa_rollback(xid.text(), place_);
}

base::Result<void> ChangeReader::on_gtid_list(const message::GtidSet& list) {
  if (doubtful_) DS_TRY(settle_doubtful(list.contains(*doubtful_)));
  return order_.file(list);
}

base::Result<void> ChangeReader::on_heartbeat(std::string_view file, std::uint64_t position) {
  if (!outside()) return {};
  if (file == place_.log() && position > place_.offset() % kFourGiB)
    place_.set_offset(place_.offset() / kFourGiB * kFourGiB + position);
  return to_->on_idle(place_);
}

base::Result<void> ChangeReader::on_rotate(std::string_view file, std::uint64_t position, bool) {
  place_ = Place(std::string(file), position);
  return outside() ? to_->on_moved(place_) : base::Result<void>();
}

base::Result<void> ChangeReader::on_incident(std::string_view text, const binlog::Where& where) {
  return to_->on_incident(text, where);
}

}  // namespace datasync::source::mariadb
