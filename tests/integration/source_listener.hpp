#pragma once
// A handler that writes down what a stream of changes reports about one table.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/binlog/row_encoder.hpp"
#include "agents/message/row.hpp"
#include "agents/source/change_stream.hpp"
#include "tests/support/must.hpp"

namespace datasync::test {

using SourceRows = std::map<std::int64_t, std::string>;

/// Writes down what a stream reports about one table: "insert 1 one", "commit".
class Listener final : public source::ChangeHandler {
 public:
  Listener(std::string table, std::map<std::uint32_t, binlog::Collation> collations)
      : table_(std::move(table)), collations_(std::move(collations)) {}

  void on_heard() override {}
  base::Result<void> on_begin(const source::Transaction& transaction, const source::Place& first) override {
    EXPECT_FALSE(first.before(end)) << "a transaction begins before the end of the one before it";
    gtid = transaction.gtid;
    open_ = true;
    before_start_ = transaction.before_start;
    if (before_start_) events.emplace_back("before the start");
    return {};
  }
  bool wants(std::string_view database, std::string_view table) override {
    return !before_start_ && fmt::format("{}.{}", database, table) == table_;
  }
  base::Result<source::TableToken> on_table(const binlog::TableMap& map, const binlog::Where&) override {
    binlog::SchemaOptions options;
    options.collation_of = [this](std::uint32_t id) { return std::optional(collations_.at(id)); };
    options.declared_key = {"id"};
    DS_ASSIGN(auto made, binlog::RowEncoder::make(map, options));
    encoder.emplace(std::move(made));
    return source::TableToken{7};
  }
  base::Result<void> on_rows(source::TableToken token, const binlog::RowsEvent& event) override {
    EXPECT_TRUE(open_);
    EXPECT_EQ(token, 7U);
    base::Buffer out;
    DS_ASSIGN(auto cursor, encoder->open(event));
    DS_TRY(cursor.fill(out, ~std::size_t{0}));
    message::RowReader reader(encoder->schema(), out.bytes());
    message::RowView row;
    while (must(reader.next(row))) take(row);
    return {};
  }
  base::Result<void> on_statement(const source::Statement& statement) override {
    for (const auto& effect : statement.judgement.effects)
      if (effect.name.database + "." + effect.name.table == table_)
        events.push_back(std::string(binlog::to_string(effect.what)));
    return {};
  }
  std::optional<std::string> to_utf8(std::string_view, std::string_view) override { return std::nullopt; }
  [[nodiscard]] base::TableNames table_names() const override { return base::TableNames(); }
  base::Result<void> on_commit(const source::Place& at) override {
    EXPECT_TRUE(std::exchange(open_, false));
    EXPECT_TRUE(end.before(at));
    end = at;
    seen.add(gtid);
    events.emplace_back("commit");
    return {};
  }
  base::Result<void> on_rollback(const source::Place&) override { return unexpected("rollback"); }
  base::Result<void> on_broken_off(const source::Place&) override { return unexpected("broken off"); }
  base::Result<void> on_xa_prepare(std::string_view, const source::Place&) override { return unexpected("prepare"); }
  base::Result<void> on_xa_commit(std::string_view, const source::Place&) override { return unexpected("XA commit"); }
  base::Result<void> on_xa_rollback(std::string_view, const source::Place&) override {
    return unexpected("XA rollback");
  }
  base::Result<void> on_idle(const source::Place& here) override {
    EXPECT_FALSE(open_);
    EXPECT_FALSE(here.before(end));
    idle = true;
    return {};
  }
  base::Result<void> on_moved(const source::Place&) override { return {}; }
  base::Result<void> on_incident(std::string_view, const binlog::Where&) override { return unexpected("incident"); }
  base::Result<void> on_unreadable(base::Error error) override { return error; }
  [[nodiscard]] base::Error too_large(base::Error error) const override { return error; }
  [[nodiscard]] bool skips() const override { return false; }
  void on_skipped(bool) override {}
  base::Result<void> on_end_unread(const source::Place&) override { return unexpected("an end that was not read"); }

  std::vector<std::string> events;
  SourceRows rows;
  message::Gtid gtid;
  message::GtidSet seen;
  source::Place end;
  bool idle = false;
  std::optional<binlog::RowEncoder> encoder;

 private:
  static base::Result<void> unexpected(const char* what) { return base::Error(base::Reason::Internal, what); }
  static std::int64_t id_of(const message::ImageView& image) {
    return base::Cursor(image.values[0]).get<std::int64_t>();
  }
  void take(const message::RowView& row) {
    const char* op = row.op == message::Op::Insert ? "insert" : row.op == message::Op::Update ? "update" : "delete";
    if (row.op != message::Op::Insert) rows.erase(id_of(row.before));
    if (row.op == message::Op::Delete) {
      events.push_back(fmt::format("{} {}", op, id_of(row.before)));
      return;
    }
    const std::string v(base::as_text(row.after.values[1]));
    rows[id_of(row.after)] = v;
    events.push_back(fmt::format("{} {} {}", op, id_of(row.after), v));
  }

  std::string table_;
  std::map<std::uint32_t, binlog::Collation> collations_;
  bool open_ = false;
  bool before_start_ = false;
};

}  // namespace datasync::test
