#pragma once
// From the events of one binlog dump to what they mean for a ChangeHandler.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"
#include "agents/source/change_stream.hpp"
#include "agents/source/mariadb/event_reader.hpp"
#include "agents/source/mariadb/gtid_order.hpp"

namespace datasync::source::mariadb {

/// One dump, from its first event on. Not thread-safe.
class ChangeReader final : private binlog::Handler {
 public:
  /// The dump begins after `from`; `in_hole` and `fallen`: see GtidOrder. `max_inflated`: bytes of the largest
  /// compressed event or value, inflated.
  ChangeReader(message::GtidSet from, bool in_hole, std::uint64_t max_inflated,
               const std::vector<FallenNumbers>& fallen = {});

  /// Takes one event; `whole`: false for one of which only the front was kept. Errors: see ChangeStream::next.
  base::Result<void> take(ChangeHandler& handler, base::Bytes event, bool whole = true);
  /// Whether an event with this front has to be kept whole.
  bool wants_whole(ChangeHandler& handler, base::Bytes front);
  /// The error of an event that did not come: with the name of the event for which `wants_whole` was true, if there is
  /// one.
  [[nodiscard]] base::Error lost(const ChangeHandler& handler, base::Error error) const;

  [[nodiscard]] bool outside() const noexcept { return reader_.outside() && !doubtful_; }

 private:
  base::Result<void> on_gtid(const binlog::GtidEvent& gtid, const binlog::EventHeader& header,
                             const binlog::Where& where) override;
  bool wants(std::string_view database, std::string_view table) override { return to_->wants(database, table); }
  base::Result<TableToken> on_table(const binlog::TableMap& map, const binlog::Where& where) override;
  base::Result<void> on_rows(TableToken table, const binlog::RowsEvent& rows) override;
  base::Result<void> on_query(const binlog::QueryInfo& query) override;
  std::optional<std::string> to_utf8(std::string_view charset, std::string_view text) override;
  [[nodiscard]] base::TableNames table_names() const override { return to_->table_names(); }
  base::Result<void> on_commit(const binlog::EventHeader& header) override;
  base::Result<void> on_rollback() override;
  base::Result<void> on_broken_off() override;
  base::Result<void> on_xa_prepare(const binlog::Xid& xid) override;
  base::Result<void> on_xa_commit(const binlog::Xid& xid) override;
  base::Result<void> on_xa_rollback(const binlog::Xid& xid) override;
  base::Result<void> on_gtid_list(const message::GtidSet& set) override;
  base::Result<void> on_heartbeat(std::string_view file, std::uint64_t position) override;
  base::Result<void> on_rotate(std::string_view file, std::uint64_t position, bool artificial) override;
  base::Result<void> on_incident(std::string_view text, const binlog::Where& where) override;

  base::Result<void> feed(base::Bytes event);
  base::Result<void> unreadable(base::Bytes event, base::Error error);
  base::Result<void> end_unread();
  base::Result<void> settle_doubtful(bool over);
  bool skips(base::Bytes front);
  void move_place(base::Bytes event);

  ChangeHandler* to_ = nullptr;  ///< of the call that runs
  std::uint64_t max_inflated_;
  binlog::EventReader reader_;
  GtidOrder order_;
  Place place_;          ///< end of the event being handled
  message::Gtid open_;   ///< of the newest transaction
  bool unread_ = false;  ///< an event of the open transaction was not read: perhaps the one that ends it
  /// The server was restarted after this transaction, of which `unread_` was true: is it over?
  std::optional<message::Gtid> doubtful_;
  std::string large_;  ///< what is kept whole although it is large
};

}  // namespace datasync::source::mariadb
