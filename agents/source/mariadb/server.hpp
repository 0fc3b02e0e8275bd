#pragma once
// One connection to a MariaDB server.

#include <memory>
#include <string>

#include "agents/client/mysql/connection.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::mariadb {

class MariaDbServer final : public Server {
 public:
  explicit MariaDbServer(std::unique_ptr<sql::Connection> connection) : connection_(std::move(connection)) {}

  base::Result<Condition> condition(const Rules& rules, const Selection& selection) override;
  base::Result<Examination> examine(const Rules& rules, const Selection& selection) override;
  base::Result<TableFacts> check_table(const TableChoice& table, const Rules& rules,
                                       const Selection& selection) override;

  base::Result<std::string> history() override;
  [[nodiscard]] bool same_server(std::string_view history, std::string_view other) const override;
  base::Result<HistoryFacts> history_facts() override;
  base::Result<message::GtidSet> executed() override;
  base::Result<StartPosition> start_position() override;
  base::Result<Clock> clock() override;

  base::Result<std::optional<TableInfo>> table(std::string_view database, std::string_view table,
                                               const std::vector<std::string>& excluded) override;
  base::Result<std::map<std::uint32_t, binlog::Collation>> collations() override;
  base::Result<std::optional<std::string>> to_utf8(std::string_view charset, std::string_view text) override;

  base::Result<void> prepare_copy() override;
  base::Result<SnapshotPlace> open_snapshot(bool exact) override;  ///< always exact
  void close_snapshot() noexcept override { connection_->rollback(); }
  base::Result<void> check_key(const message::TableSchema& schema) override;
  base::Result<std::unique_ptr<RowReader>> read(const message::TableSchema& schema, const KeyRange& range) override;
  base::Result<std::unique_ptr<RowReader>> scan(const message::TableSchema& schema) override;
  base::Result<bool> repeats_a_key(const message::TableSchema& schema, const KeyRange& range) override;

  void abort() noexcept override { connection_->abort(); }

 private:
  std::unique_ptr<sql::Connection> connection_;
  std::string user_ = "...";  ///< for GRANT statements, once the server was examined
};

}  // namespace datasync::source::mariadb
