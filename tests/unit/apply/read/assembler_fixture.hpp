#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agents/apply/read/assembler.hpp"
#include "tests/unit/apply/plan/change_maker.hpp"

namespace datasync::apply {

using message::End;
using message::Epoch;
using message::Gtid;
using message::Kind;

/// Writes down what reaches the destination: "commit 1 2 @5", "stream 3", "rollback".
class FakeSink final : public Sink {
 public:
  void know(const message::TableSchema& schema) {
    ids_[schema.id()] = static_cast<TableIndex>(schemas_.size());
    schemas_.push_back(schema);
    active_.push_back(true);
  }
  const message::TableSchema* active(message::SchemaId id, TableIndex& index) override {
    const auto at = ids_.find(id);
    if (at == ids_.end() || !active_[at->second]) return nullptr;
    index = at->second;
    return &schemas_[at->second];
  }
  base::Result<std::string> source_table(message::SchemaId id) override { return schemas_[ids_.at(id)].qualified(); }
  base::Result<bool> has_other_version(std::span<const RowChange> rows, message::SchemaId id) override {
    const auto& schema = schemas_[ids_.at(id)];
    return std::ranges::any_of(rows, [&](const auto& row) { return schemas_[row.table].table == schema.table; });
  }
  base::Result<void> activate(message::SchemaId id) override {
    log.push_back("activate " + schemas_[ids_.at(id)].table);
    active_[ids_.at(id)] = true;
    return {};
  }
  base::Result<void> activate_emptied(message::SchemaId id) override {
    log.push_back("empty and activate " + schemas_[ids_.at(id)].table);
    active_[ids_.at(id)] = true;
    return {};
  }
  base::Result<bool> skips(const message::TableRows& rows, const LedgerState& before) override {
    const auto& schema = schemas_[ids_.at(rows.schema)];
    if (schema.table != held) return false;
    log.push_back("skips " + schema.table + " after " + std::to_string(before.next_offset));
    return true;
  }
  void voided(std::int64_t from) override {
    ++voids;
    void_from = from;
  }
  base::Result<void> commit(const RowBuffer& buffer, std::span<const RowChange> rows, const LedgerState& next,
                            const BatchTimes&) override {
    if (fail) return base::Error(base::Reason::DestinationUnreachable, "gone");
    log.push_back("commit" + text(buffer, rows) + " @" + std::to_string(next.next_offset));
    streaming_ = false;
    ledger = next;
    return {};
  }
  base::Result<void> stream(const RowBuffer& buffer, std::span<const RowChange> rows) override {
    log.push_back("stream" + text(buffer, rows));
    streaming_ = true;
    return {};
  }
  base::Result<void> empty(std::span<const RowChange> rows) override {
    log.push_back("in parts" + text(RowBuffer(), rows));
    return {};
  }
  bool streaming() override { return streaming_; }
  void rollback() override {
    log.emplace_back("rollback");
    streaming_ = false;
  }
  base::Result<void> tables_gone(std::span<const GoneTable> gone) override {
    std::string line = "gone";
    for (const auto& [note, offset] : gone) line += " " + note.table + " @" + std::to_string(offset);
    log.push_back(std::move(line));
    return {};
  }
  base::Result<void> verify(const std::optional<message::Verify>& verify, bool last) override {
    log.push_back("verify " + (verify ? verify->table : "-") + (last ? " last" : ""));
    return {};
  }
  void deactivate(const message::SchemaId id) { active_[ids_.at(id)] = false; }

  std::vector<std::string> log;
  LedgerState ledger;
  bool fail = false;
  std::string held;  ///< a table whose rows are passed over
  int voids = 0;
  std::int64_t void_from = -1;

 private:
  std::string text(const RowBuffer& buffer, std::span<const RowChange> rows) {
    std::string out;
    for (const auto& row : rows)
      if (row.op == message::Op::Truncate)
        out += " empty";
      else
        out += " " + std::to_string(*row_at(buffer, row.after, schemas_[row.table].columns.size())[0]);
    return out;
  }
  std::vector<message::TableSchema> schemas_;
  std::vector<bool> active_;
  std::map<message::SchemaId, TableIndex> ids_;
  bool streaming_ = false;
};

class AssemblerTest : public testing::Test {
 protected:
  AssemblerTest() {
    sink.know(orders);
    sink.know(items);
    start.epoch = Epoch(1);
    restart({});
  }
  void restart(const IntakeLimits& limits, const std::set<std::string>& types = {}) {
    assembler.emplace(sink, types, limits, start);
  }
  base::Result<void> put(const message::Headers& headers, const std::string& value) {
    return assembler->take({offset++, 1000 + offset, headers, base::as_bytes(value)});
  }
  base::Result<void> start_epoch(std::uint64_t epoch) {
    return put({Kind::Start, "", Epoch(epoch), End::None}, encode(message::Start{Epoch(epoch), "i"}));
  }
  /// The same, passed over as a user declared.
  base::Result<void> skip(const message::Headers& headers, const std::string& value, const Awaited& differ = {}) {
    return assembler->skip({offset++, 1000 + offset, headers, base::as_bytes(value)}, differ);
  }
  base::Result<void> skip_change(std::uint64_t sequence, std::uint32_t fragment, End end, int id) {
    message::Change change;
    change.gtid = Gtid{0, 1, sequence};
    change.fragment = fragment;
    change.tables = {rows(orders, 0, {id})};
    return skip({Kind::Change, "t", Epoch(1), end}, encode(change));
  }
  static message::SchemaNote dropped(std::uint64_t sequence, const std::string& table) {
    return {Gtid{0, 1, sequence}, "d", table, message::SchemaNote::What::Dropped, "DROP TABLE " + table};
  }
  message::TableRows rows(const message::TableSchema& schema, std::uint32_t order, const std::vector<int>& ids) {
    message::TableRows out;
    out.schema = schema.id();
    out.order = order;
    out.count = static_cast<std::uint32_t>(ids.size());
    for (const int id : ids) {
      const TestRow row{id, 0};
      out.rows += change_bytes(message::Op::Insert, nullptr, &row);
    }
    return out;
  }
  base::Result<void> change(std::uint64_t sequence, std::uint32_t fragment, End end,
                            std::vector<message::TableRows> tables, const std::string& type = "t",
                            std::uint64_t epoch = 1) {
    message::Change change;
    change.gtid = Gtid{0, 1, sequence};
    change.fragment = fragment;
    change.last = end == End::Transaction;
    change.tables = std::move(tables);
    return put({Kind::Change, type, Epoch(epoch), end}, encode(change));
  }
  static message::TableRows emptied(const message::TableSchema& schema) {
    message::TableRows out;
    out.schema = schema.id();
    out.count = 1;
    out.rows.push_back(static_cast<char>(message::Op::Truncate));
    return out;
  }
  base::Result<void> simple(std::uint64_t sequence, int id, std::uint64_t epoch = 1) {
    return change(sequence, 0, End::Transaction, {rows(orders, 0, {id})}, "t", epoch);
  }
  std::vector<std::string> take_log() { return std::exchange(sink.log, {}); }
  using Log = std::vector<std::string>;

  message::TableSchema orders = int_schema("orders", 2), items = int_schema("items", 2);
  FakeSink sink;
  LedgerState start;
  std::optional<Assembler> assembler;
  std::int64_t offset = 0;
};

}  // namespace datasync::apply
