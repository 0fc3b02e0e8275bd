#pragma once
// What the tests of the engines of destinations have in common.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agents/destination/ledger_store.hpp"
#include "agents/message/row.hpp"
#include "tests/integration/destination_engines.hpp"
#include "tests/support/must.hpp"

namespace datasync::test {

/// An engine, by the name that its tests have.
struct NamedDestination {
  const char* name;
  std::unique_ptr<DestinationUnderTest> (*make)();
};

/// A row of a.t as a statement gets it.
class ConformanceRow {
 public:
  ConformanceRow(std::int64_t id, std::optional<std::string> v) : v_(std::move(v)) {
    id_.put(id);
    values_ = {id_.bytes(), v_ ? base::as_bytes(*v_) : base::Bytes()};
  }
  ConformanceRow(const ConformanceRow&) = delete;
  ConformanceRow& operator=(const ConformanceRow&) = delete;
  [[nodiscard]] const base::Bytes* values() const noexcept { return values_.data(); }

 private:
  base::Buffer id_;
  std::optional<std::string> v_;
  std::array<base::Bytes, 2> values_;
};

using StoredValues = std::map<std::int64_t, std::optional<std::string>>;

/// The tests run in their order on one server for each engine; table a.t (`id` BIGINT, the key, and `v` VARCHAR(50)) is
/// empty and new in each, and the ledger has nothing of the task "task".
class DestinationConformance : public testing::TestWithParam<NamedDestination> {
 protected:
  static constexpr std::uint64_t kBytes = 200;

  void SetUp() override {
    auto& destination = destinations()[GetParam().name];
    if (!destination) destination = GetParam().make();
    destination_ = destination.get();
    config_ = destination_->config();
    server_ = connect();
    must(server_->preflight(config_));
    must(server_->ledger().create_held_tables(config_.ledger_database));
    must(apply::Ledger::forget(*server_, config_.ledger_database, "task"));
    schema_.database = "a";
    schema_.table = "t";
    schema_.columns.resize(2);
    schema_.columns[0] = {.name = "id", .type = message::ColumnType::BigInt, .nullable = false};
    schema_.columns[1] = {.name = "v",
                          .type = message::ColumnType::VarChar,
                          .length = kBytes,
                          .charset = "utf8mb4",
                          .collation = "utf8mb4_bin"};
    schema_.key = {0};
    must(server_->define(dialect().create_database("a")));
    must(server_->define(dialect().drop_table("a", "t")));
    must(server_->define(dialect().create_table(schema_, "a", "t")));
    statements_ = server_->row_statements();
    table_ = {&schema_, "a", "t", {0, 1}, {0}, schema_.columns};
  }
  void TearDown() override {
    statements_.reset();
    server_.reset();
  }
  static void TearDownTestSuite() { destinations().clear(); }

  [[nodiscard]] const apply::Dialect& dialect() const { return destination_->engine().dialect(); }
  [[nodiscard]] std::unique_ptr<apply::DestinationServer> connect() const {
    auto server = must(destination_->engine().connect(config_, std::chrono::seconds(30)));
    must(server->prepare_to_write());
    return server;
  }
  base::Result<std::uint64_t> run(apply::RowVerb verb, const ConformanceRow& row) {
    const apply::RowImages images{row.values(), row.values()};
    return statements_->run(verb, 1, table_, {&images, 1});
  }
  std::uint64_t insert(std::int64_t id, const std::string& v) {
    return must(run(apply::RowVerb::Insert, ConformanceRow(id, v)));
  }
  /// As another connection reads them.
  [[nodiscard]] StoredValues rows() const {
    const auto other = connect();
    const auto reader = must(other->read(schema_, kTable));
    StoredValues out;
    base::Buffer image;
    while (true) {
      image.clear();
      if (!must(reader->next(image))) return out;
      message::ImageView view;
      must(message::read_image(schema_, image.bytes(), view));
      out[base::Cursor(view.values[0]).get<std::int64_t>()] =
          view.nulls[1] != 0 ? std::nullopt : std::optional(std::string(base::as_text(view.values[1])));
    }
  }
  [[nodiscard]] apply::Ledger ledger(const std::string& instance) const {
    return {config_.ledger_database, key_, {}, instance};
  }
  [[nodiscard]] apply::KnownTables known(std::int32_t stream = 0, const std::string& task = "task") const {
    return {config_.ledger_database, {task, "topic", stream}};
  }

  static std::map<std::string, std::unique_ptr<DestinationUnderTest>>& destinations() {
    static std::map<std::string, std::unique_ptr<DestinationUnderTest>> all;
    return all;
  }
  inline static const apply::TargetName kTable{"a", "t"};
  DestinationUnderTest* destination_ = nullptr;
  config::Apply config_;
  message::TableSchema schema_;
  apply::StatementTable table_;
  apply::LedgerKey key_{"task", "topic", 0};
  std::unique_ptr<apply::DestinationServer> server_;
  std::unique_ptr<apply::RowStatements> statements_;
};

}  // namespace datasync::test
