#pragma once
// A table's rows as images, read through the binlog by the decoder that capture uses.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/capture/stream/catalog.hpp"
#include "agents/source/mariadb/binlog_stream.hpp"
#include "agents/source/mariadb/event_reader.hpp"

namespace datasync::test {

using Images = std::map<std::string, std::string>;  ///< key image -> row image

/// What the changes of a binlog make of each captured table. Every before image must be the image known so far.
class AgreeReader final : public binlog::Handler {
 public:
  AgreeReader(const capture::Selection& selection, sql::ConnectOptions server);

  /// Reads from `position` until the transaction `up_to` is over. Throws.
  void read(const std::string& position, const std::string& up_to);
  [[nodiscard]] const Images& images(const std::string& table) { return tables_[table]; }
  [[nodiscard]] const message::TableSchema& schema(const std::string& table) { return schemas_[table]; }
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }
  [[nodiscard]] std::uint32_t left_out() const { return left_out_; }

  bool wants(std::string_view database, std::string_view table) override {
    return selection_.find(database, table) != nullptr;
  }
  base::Result<void> on_gtid(const binlog::GtidEvent& gtid, const binlog::EventHeader&, const binlog::Where&) override {
    gtid_ = gtid.gtid.text();
    return {};
  }
  base::Result<binlog::TableToken> on_table(const binlog::TableMap& map, const binlog::Where&) override;
  base::Result<void> on_rows(binlog::TableToken token, const binlog::RowsEvent& rows) override;
  base::Result<void> on_query(const binlog::QueryInfo&) override { return {}; }
  base::Result<void> on_commit(const binlog::EventHeader&) override {
    over_ = gtid_;
    return {};
  }
  base::Result<void> on_rollback() override { return {}; }
  base::Result<void> on_xa_prepare(const binlog::Xid&) override { return {}; }
  base::Result<void> on_xa_commit(const binlog::Xid&) override { return {}; }
  base::Result<void> on_xa_rollback(const binlog::Xid&) override { return {}; }
  base::Result<void> on_gtid_list(const message::GtidSet&) override { return {}; }
  base::Result<void> on_heartbeat(std::string_view, std::uint64_t) override { return {}; }
  base::Result<void> on_rotate(std::string_view, std::uint64_t, bool) override { return {}; }
  base::Result<void> on_incident(std::string_view, const binlog::Where&) override { return {}; }

 private:
  const capture::Selection& selection_;
  sql::ConnectOptions server_;
  capture::Catalog catalog_;
  std::map<std::string, Images> tables_;
  std::map<std::string, message::TableSchema> schemas_;
  std::vector<std::string> broken_;
  std::string gtid_, over_;
  std::uint32_t left_out_ = 0;
};

/// A value of an image in the words of `server_expression`.
std::string image_text(const message::Column& column, base::Bytes value);
/// How the server itself says a value, without any code of ours.
std::string server_expression(const message::Column& column);

}  // namespace datasync::test
