#include "agents/source/memory/database.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/binlog/schema.hpp"

namespace datasync::source::memory {
namespace {

constexpr std::uint64_t kStep = 10;
constexpr std::uint32_t kTextBytes = 800, kUtf8Mb4 = 45;
constexpr std::uint64_t kFirstSecond = 1'700'000'000, kMicros = 1'000'000;

message::TableSchema schema_of(const binlog::TableMap& map) {
  binlog::SchemaOptions options;
  options.collation_of = [](std::uint32_t) {
    return std::optional(binlog::Collation{"utf8mb4_general_ci", "utf8mb4"});
  };
  auto keyed = map;
  if (keyed.primary_key.empty()) keyed.primary_key = {0};
  auto schema = binlog::schema_of(keyed, options).value().schema;
  schema.key = map.primary_key;
  return schema;
}

}  // namespace

Place place_after(std::size_t transactions) {
  return {"", transactions * kStep};
}

Change insert(std::string table, Row row) {
  return {Change::What::Insert, std::move(table), {}, std::move(row), {}};
}
Change update(std::string table, Row before, Row after) {
  return {Change::What::Update, std::move(table), std::move(before), std::move(after), {}};
}
Change remove(std::string table, Row row) {
  return {Change::What::Delete, std::move(table), std::move(row), {}, {}};
}
Change statement(std::string text, std::string database) {
  return {Change::What::Statement, std::move(database), {}, {}, std::move(text)};
}

Row Table::key_of(const Row& row) const {
  Row key;
  for (const auto i : map.primary_key) key.push_back(row[i]);
  return map.primary_key.empty() ? row : key;
}

void Database::create_table(const std::string& name, const std::vector<ColumnDefinition>& columns,
                            std::vector<std::uint16_t> key) {
  Table table;
  const auto point = name.find('.');
  table.map.database = name.substr(0, point);
  table.map.table = name.substr(point + 1);
  table.map.has_names = true;
  for (const auto& c : columns) {
    binlog::WireColumn wire;
    wire.name = c.name;
    wire.nullable = c.nullable;
    wire.type = c.text ? binlog::WireType::VarChar : binlog::WireType::LongLong;
    wire.length = c.text ? kTextBytes : 0;
    wire.collation = c.text ? kUtf8Mb4 : 0;
    table.map.columns.push_back(std::move(wire));
  }
  table.map.primary_key = std::move(key);
  table.schema = schema_of(table.map);
  const std::scoped_lock lock(mutex_);
  tables_.insert_or_assign(name, std::move(table));
}

void Database::drop_table(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  tables_.erase(name);
}

/// With the mutex held.
void Database::apply(const std::vector<Change>& changes) {
  for (const auto& c : changes) {
    if (c.what == Change::What::Statement) continue;
    auto& table = tables_.at(c.table);
    if (c.what != Change::What::Insert) table.rows.erase(table.key_of(c.before));
    if (c.what != Change::What::Delete) table.rows.insert_or_assign(table.key_of(c.after), c.after);
  }
}

message::Gtid Database::commit(std::vector<Change> changes) {
  return log(std::move(changes), End::Commit);
}

message::Gtid Database::log(std::vector<Change> changes, End end, std::string xid) {
  const std::scoped_lock lock(mutex_);
  Logged entry;
  entry.gtid = {0, 1, log_.empty() ? 1 : log_.back().gtid.sequence + 1};
  entry.commit_time_us = (kFirstSecond + log_.size()) * kMicros;
  for (const auto& c : changes)
    if (c.what != Change::What::Statement) entry.maps[c.table] = tables_.at(c.table).map;
  if (end == End::Commit) apply(changes);
  if (end == End::XaPrepare) prepared_[xid] = changes;
  if (end == End::XaCommit) apply(prepared_[xid]);
  entry.changes = std::move(changes);
  entry.end = end;
  entry.xid = std::move(xid);
  log_.push_back(std::move(entry));
  changed_.notify_all();
  return log_.back().gtid;
}

void Database::replicate(const Database& primary) {
  const std::scoped_lock lock(mutex_, primary.mutex_);
  replica_ = true;
  tables_ = primary.tables_;
  log_ = primary.log_;
  changed_.notify_all();
}

void Database::purge() {
  const std::scoped_lock lock(mutex_);
  purged_ = log_.size();
}

void Database::restart() {
  const std::scoped_lock lock(mutex_);
  ++run_;
}

std::string Database::history() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format("{}, run {}", name_, run_);
}

message::GtidSet Database::executed() const {
  message::GtidSet out;
  for (const auto& entry : log_) out.add(entry.gtid);
  return out;
}

HistoryFacts Database::facts() const {
  const std::scoped_lock lock(mutex_);
  HistoryFacts out;
  out.executed = out.binlog = executed();
  for (std::size_t i = 0; i < purged_; ++i) out.oldest.add(log_[i].gtid);
  out.ever_replicated = replica_;
  if (replica_) out.replicated = out.executed;
  return out;
}

Tables Database::tables() const {
  const std::scoped_lock lock(mutex_);
  return tables_;
}

Place Database::end() const {
  const std::scoped_lock lock(mutex_);
  return place_after(log_.size());
}

std::size_t Database::index_after(const message::GtidSet& position, const std::vector<std::string>& sent_again) const {
  const std::scoped_lock lock(mutex_);
  const auto at = std::ranges::find_if(log_, [&](const Logged& l) {
    return !position.contains(l.gtid) || std::ranges::find(sent_again, l.gtid.text()) != sent_again.end();
  });
  return static_cast<std::size_t>(at - log_.begin());
}

base::Result<std::optional<Logged>> Database::at(std::size_t index, base::Millis patience, const bool& aborted) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return aborted || index < log_.size(); });
  if (aborted) return base::Error(base::Reason::SourceUnreachable, name_ + ": aborted");
  if (index >= log_.size()) return std::optional<Logged>();
  if (index < purged_) return base::Error(base::Reason::BinlogPurged, name_ + ": purged");
  return std::optional(log_[index]);
}

void Database::wake(const std::function<void()>& change) {
  const std::scoped_lock lock(mutex_);
  change();
  changed_.notify_all();
}

}  // namespace datasync::source::memory
