// The changes of a database in this process, and its engine.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/source/memory/memory.hpp"

namespace datasync::source::memory {
namespace {

using base::Error;
using base::Reason;

constexpr std::uint64_t kFirstEvent = 4;

/// A row as a rows event of the binlog has it.
void append_binlog_image(const Row& row, base::Buffer& out) {
  std::vector<std::uint8_t> nulls((row.size() + 7) / 8);
  for (std::size_t i = 0; i < row.size(); ++i)
    if (std::holds_alternative<std::monostate>(row[i])) nulls[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
  for (const auto byte : nulls) out.put(byte);
  for (const auto& value : row) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) out.put(*number);
    if (const auto* text = std::get_if<std::string>(&value)) {
      out.put(static_cast<std::uint16_t>(text->size()));
      out.append(*text);
    }
  }
}

class Stream final : public ChangeStream {
 public:
  Stream(std::shared_ptr<Database> database, const StreamOptions& options)
      : database_(std::move(database)),
        options_(options),
        history_(database_->history()),
        end_(database_->end()),
        next_(database_->index_after(options.position, options.before_start)) {}

  [[nodiscard]] const std::string& history() const noexcept override { return history_; }
  [[nodiscard]] const Place& end() const noexcept override { return end_; }

  base::Result<void> next(ChangeHandler& handler) override {
    if (!std::exchange(begun_, true)) {
      handler.on_heard();
      return handler.on_moved(place_after(next_));
    }
    DS_ASSIGN(const auto entry, database_->at(next_, options_.heartbeat, aborted_));
    handler.on_heard();
    if (!entry) return handler.on_idle(place_after(next_));
    ++next_;
    auto taken = report(handler, *entry);
    if (taken) return {};
    DS_TRY(handler.on_unreadable(std::move(taken).error()));
    return handler.on_end_unread(place_after(next_));
  }

  [[nodiscard]] bool outside() const noexcept override { return true; }
  [[nodiscard]] bool in_hole() const noexcept override { return false; }
  void abort() noexcept override {
    database_->wake([this] { aborted_ = true; });
  }

 private:
  base::Result<void> report(ChangeHandler& handler, const Logged& entry) {
    const auto end = place_after(next_);
    const Place first(end.log(), place_after(next_ - 1).offset() + kFirstEvent);
    const bool before_start =
        std::ranges::find(options_.before_start, entry.gtid.text()) != options_.before_start.end();
    DS_TRY(handler.on_begin({entry.gtid, entry.commit_time_us, entry.end == End::XaPrepare, entry.xid, before_start},
                            first));
    for (const auto& change : entry.changes)
      DS_TRY(change.what == Change::What::Statement ? statement(handler, change, first)
                                                    : rows(handler, change, entry.maps.at(change.table), first));
    switch (entry.end) {
      case End::Commit:
        return handler.on_commit(end);
      case End::Rollback:
        return handler.on_rollback(end);
      case End::XaPrepare:
        return handler.on_xa_prepare(entry.xid, end);
      case End::XaCommit:
        return handler.on_xa_commit(entry.xid, end);
      case End::XaRollback:
        return handler.on_xa_rollback(entry.xid, end);
    }
    return {};
  }

  base::Result<void> statement(ChangeHandler& handler, const Change& change, const Place& at) const {
    binlog::StatementContext context;
    context.database = change.table;
    context.names = handler.table_names();
    const auto judgement = binlog::judge(change.statement, context);
    return handler.on_statement({change.statement, {"log", at.offset()}, judgement, context});
  }

  base::Result<void> rows(ChangeHandler& handler, const Change& change, const binlog::TableMap& map, const Place& at) {
    if (!handler.wants(map.database, map.table)) return {};
    const binlog::Where where{"log", at.offset()};
    auto& known = known_[change.table];
    if (known.map != map) {
      known.map = map;
      DS_ASSIGN(known.token, handler.on_table(map, where));
    }
    if (known.token == kUnwanted) return {};
    base::Buffer images;
    if (change.what != Change::What::Insert) append_binlog_image(change.before, images);
    if (change.what != Change::What::Delete) append_binlog_image(change.after, images);
    const std::vector<std::byte> all((map.columns.size() + 7) / 8, std::byte{0xFF});
    binlog::RowsEvent event;
    event.op = change.what == Change::What::Insert   ? message::Op::Insert
               : change.what == Change::What::Update ? message::Op::Update
                                                     : message::Op::Delete;
    event.columns = map.columns.size();
    event.present_before = event.present_after = all;
    event.rows = images.bytes();
    event.where = where;
    return handler.on_rows(known.token, event);
  }

  struct Known {
    binlog::TableMap map;
    TableToken token = kUnwanted;
  };

  std::shared_ptr<Database> database_;
  StreamOptions options_;
  std::string history_;
  Place end_;
  std::size_t next_;
  bool begun_ = false;
  bool aborted_ = false;  ///< under the database's mutex
  std::map<std::string, Known> known_;
};

class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(Servers servers) : servers_(std::move(servers)) {}

  base::Result<std::unique_ptr<Server>> connect(const config::HostPort& server) const override {
    DS_ASSIGN(auto database, find(server));
    return memory::connect(std::move(database));
  }
  base::Result<std::unique_ptr<ChangeStream>> open_stream(const config::HostPort& server,
                                                          const StreamOptions& options) const override {
    DS_ASSIGN(auto database, find(server));
    return memory::open_stream(std::move(database), options);
  }
  base::Result<std::vector<std::string>> before_start(const config::HostPort& server, const StreamOptions&,
                                                      std::stop_token,
                                                      const std::function<void()>& on_heard) const override {
    DS_ASSIGN(const auto database, find(server));
    on_heard();
    std::vector<std::string> out;
    for (const auto& gtid : database->before_start) out.push_back(gtid.text());
    return out;
  }
  [[nodiscard]] std::string name_row(const message::TableSchema& schema) const override {
    std::string key;
    for (const auto i : schema.key) key += (key.empty() ? "" : ", ") + schema.columns[i].name;
    return fmt::format("a row of {} (key {})", schema.qualified(), key);
  }
  [[nodiscard]] std::string_view fix_of_other_history() const noexcept override { return "read another server"; }
  [[nodiscard]] Continuity judge(const HistoryFacts& facts, const Needed& needed) const override {
    if (!facts.executed.contains(needed.newest)) return {facts.ever_replicated ? Fitness::Behind : Fitness::Diverged};
    return {needed.from.contains(facts.oldest) ? Fitness::Good : Fitness::Purged};
  }
  [[nodiscard]] message::GtidSet stream_position(const HistoryFacts&, const message::GtidSet& position,
                                                 const std::vector<std::uint32_t>&) const override {
    return position;
  }

 private:
  [[nodiscard]] base::Result<std::shared_ptr<Database>> find(const config::HostPort& server) const {
    const auto at = servers_.find(server.text());
    if (at == servers_.end()) return Error(Reason::SourceUnreachable, server.text() + ": no such server");
    return at->second;
  }

  const Servers servers_;
};

}  // namespace

base::Result<std::unique_ptr<ChangeStream>> open_stream(std::shared_ptr<Database> database,
                                                        const StreamOptions& options) {
  if (database->down) return *database->down;
  return std::unique_ptr<ChangeStream>(std::make_unique<Stream>(std::move(database), options));
}

std::unique_ptr<Engine> make_engine(Servers servers) {
  return std::make_unique<MemoryEngine>(std::move(servers));
}

}  // namespace datasync::source::memory
