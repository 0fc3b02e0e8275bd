// A connection to a database in this process.

#include <utility>

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "agents/message/key_schema.hpp"
#include "agents/message/row.hpp"
#include "agents/source/memory/memory.hpp"

namespace datasync::source::memory {
namespace {

using base::Error;
using base::Reason;

void append_image(const message::TableSchema& schema, const Row& row, const Table& table, base::Buffer& out) {
  message::ImageWriter image(out, schema.columns.size());
  for (const auto& column : schema.columns) {
    std::size_t i = 0;
    while (table.schema.columns[i].name != column.name) ++i;
    if (const auto* number = std::get_if<std::int64_t>(&row[i]))
      image.fixed(*number);
    else if (const auto* text = std::get_if<std::string>(&row[i]))
      image.bytes(base::as_bytes(*text));
    else
      image.null();
  }
}

/// The values of a key image.
base::Result<Row> key_of(const message::TableSchema& schema, const std::string& image) {
  const auto keys = message::key_schema(schema);
  message::ImageView view;
  DS_TRY(message::read_image(keys, base::as_bytes(image), view));
  Row out;
  for (std::size_t i = 0; i < keys.columns.size(); ++i) {
    const auto value = view.values[i];
    if (view.nulls[i] != 0)
      out.emplace_back();
    else if (keys.columns[i].type == message::ColumnType::BigInt)
      out.emplace_back(base::Cursor(value).get<std::int64_t>());
    else
      out.emplace_back(std::string(base::as_text(value)));
  }
  return out;
}

/// The key of a row by the columns of `schema`, which may be a declared one.
Row key_of(const message::TableSchema& schema, const Table& table, const Row& row) {
  Row out;
  for (const auto k : schema.key)
    for (std::size_t i = 0; i < table.schema.columns.size(); ++i)
      if (table.schema.columns[i].name == schema.columns[k].name) out.push_back(row[i]);
  return out;
}

class Rows final : public RowReader {
 public:
  Rows(message::TableSchema schema, Table table, std::multimap<Row, Row> rows)
      : schema_(std::move(schema)), table_(std::move(table)), rows_(std::move(rows)), next_(rows_.begin()) {}

  base::Result<bool> next(base::Buffer& out) override {
    if (next_ == rows_.end()) return false;
    append_image(schema_, next_->second, table_, out);
    ++next_;
    return true;
  }

 private:
  message::TableSchema schema_;
  Table table_;
  std::multimap<Row, Row> rows_;  ///< by key
  std::multimap<Row, Row>::const_iterator next_;
};

class MemoryServer final : public Server {
 public:
  explicit MemoryServer(std::shared_ptr<Database> database) : database_(std::move(database)) {}

  base::Result<Condition> condition(const Rules&, const Selection&) override {
    return Condition{database_->findings, database_->lag};
  }
  base::Result<Examination> examine(const Rules&, const Selection&) override {
    return Examination{database_->findings, database_->lag};
  }
  base::Result<TableFacts> check_table(const TableChoice& choice, const Rules& rules, const Selection&) override {
    TableFacts out;
    out.choice = &choice;
    DS_ASSIGN(out.info, table(choice.database, choice.table, choice.exclude));
    out.exists = out.info.has_value();
    if (!out.exists)
      out.findings.push_back({Reason::PreflightFailed, choice.qualified() + " does not exist", "create it"});
    else if (out.info->schema.key.empty() && choice.key_columns.empty())
      out.findings.push_back({Reason::KeyMissing, choice.qualified() + " has no primary key", "declare one"});
    if (out.exists && !out.info->acting_keys.empty() && !rules.allow_cascades)
      out.findings.push_back({Reason::PreflightFailed, choice.qualified() + " has a foreign key", "drop it"});
    return out;
  }

  base::Result<std::string> history() override { return database_->history(); }
  [[nodiscard]] bool same_server(std::string_view history, std::string_view other) const override {
    return history.substr(0, history.find(',')) == other.substr(0, other.find(','));
  }
  base::Result<HistoryFacts> history_facts() override { return database_->facts(); }
  base::Result<message::GtidSet> executed() override { return database_->facts().executed; }
  base::Result<StartPosition> start_position() override {
    const auto executed = database_->facts().executed;
    if (executed.empty()) return Error(Reason::WaitingForReplica, "the log holds no transaction yet");
    return StartPosition{executed, executed};
  }
  base::Result<Clock> clock() override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return Clock{static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()), 0};
  }

  base::Result<std::optional<TableInfo>> table(std::string_view database, std::string_view table,
                                               const std::vector<std::string>&) override {
    if (database_->down) return *database_->down;
    const auto tables = database_->tables();
    const auto at = tables.find(fmt::format("{}.{}", database, table));
    if (at == tables.end()) return std::optional<TableInfo>();
    TableInfo out;
    out.schema = at->second.schema;
    out.rows_estimate = at->second.rows.size();
    if (const auto keys = database_->acting_keys.find(at->first); keys != database_->acting_keys.end())
      out.acting_keys = keys->second;
    for (const auto& key : out.acting_keys) out.foreign_keys.push_back({key.parent_database, key.parent_table});
    return std::optional(std::move(out));
  }
  base::Result<std::map<std::uint32_t, binlog::Collation>> collations() override {
    return std::map<std::uint32_t, binlog::Collation>{{45, {"utf8mb4_general_ci", "utf8mb4"}}};
  }
  base::Result<std::optional<std::string>> to_utf8(std::string_view, std::string_view) override {
    return std::optional<std::string>();
  }

  base::Result<void> prepare_copy() override { return {}; }
  base::Result<SnapshotPlace> open_snapshot(bool exact) override {
    SnapshotPlace out{database_->end()};
    if (database_->during_snapshot) database_->during_snapshot();
    tables_ = database_->tables();
    if (database_->end() == out.place) return out;
    if (exact) return Error(Reason::SourceRestarted, "changes came while the snapshot was opened");
    out.until = database_->facts().executed;
    return out;
  }
  void close_snapshot() noexcept override { tables_.clear(); }
  base::Result<void> check_key(const message::TableSchema&) override { return {}; }
  base::Result<std::unique_ptr<RowReader>> read(const message::TableSchema& schema, const KeyRange& range) override {
    if (database_->on_read) database_->on_read(range);
    return rows_in(schema, range);
  }
  base::Result<std::unique_ptr<RowReader>> scan(const message::TableSchema& schema) override {
    return rows_in(schema, {});
  }
  base::Result<bool> repeats_a_key(const message::TableSchema& schema, const KeyRange& range) override {
    if (database_->on_key_check) database_->on_key_check(range);
    if (tables_.empty()) tables_ = database_->tables();  // outside of a snapshot
    DS_ASSIGN(const auto rows, keyed(schema, range));
    for (const auto& [key, row] : rows)
      if (rows.count(key) > 1) return true;
    return false;
  }
  void abort() noexcept override {}

 private:
  base::Result<std::multimap<Row, Row>> keyed(const message::TableSchema& schema, const KeyRange& range) {
    const auto at = tables_.find(schema.qualified());
    if (at == tables_.end()) return Error(Reason::TableDropped, schema.qualified() + " does not exist");
    std::optional<Row> after, up_to;
    if (!range.after_key.empty()) {
      DS_ASSIGN(after, key_of(schema, range.after_key));
    }
    if (!range.up_to_key.empty()) {
      DS_ASSIGN(up_to, key_of(schema, range.up_to_key));
    }
    std::multimap<Row, Row> out;
    for (const auto& [unused, row] : at->second.rows) {
      auto key = key_of(schema, at->second, row);
      if ((!after || *after < key) && (!up_to || key <= *up_to)) out.emplace(std::move(key), row);
    }
    return out;
  }
  base::Result<std::unique_ptr<RowReader>> rows_in(const message::TableSchema& schema, const KeyRange& range) {
    DS_ASSIGN(auto rows, keyed(schema, range));
    if (range.limit != 0 && rows.size() > range.limit)
      rows.erase(std::next(rows.begin(), static_cast<std::ptrdiff_t>(range.limit)), rows.end());
    return std::unique_ptr<RowReader>(std::make_unique<Rows>(schema, tables_.at(schema.qualified()), std::move(rows)));
  }

  std::shared_ptr<Database> database_;
  Tables tables_;  ///< of the open snapshot
};

}  // namespace

base::Result<std::unique_ptr<Server>> connect(std::shared_ptr<Database> database) {
  if (database->down) return *database->down;
  return std::unique_ptr<Server>(std::make_unique<MemoryServer>(std::move(database)));
}

}  // namespace datasync::source::memory
