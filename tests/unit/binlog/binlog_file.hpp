#pragma once
// Binlog files and hex fixtures for tests.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/binlog/row_encoder.hpp"
#include "agents/source/mariadb/event_reader.hpp"

namespace datasync::binlog::test {

/// The whole file as it is. Throws std::runtime_error when it cannot be read.
std::string read_file(const std::string& path);

/// Bytes of a text of hex digits; spaces, line ends and lines that start with # do not count. Throws on anything else.
std::string from_hex(std::string_view text);
std::string to_hex(base::Bytes bytes);

/// A file of tests/data/binlog: NAME.hex as bytes.
std::string fixture(const std::string& name);
/// The lines of a file of tests/data/binlog.
std::vector<std::string> fixture_lines(const std::string& file);

/// Calls `each` for every event of a binlog file (magic fe 'bin', then events one after the other), until it returns
/// false.
void for_each_event(base::Bytes file, const std::function<bool(base::Bytes)>& each);

/// The collations the fixtures use.
std::optional<Collation> collation(std::uint32_t id);

/// Options with `collation` and the given refinements.
SchemaOptions options(std::vector<Refinement> refinements = {});

/// One value as text: numbers, dates and labels as SQL prints them, UTF-8 text as it is, other bytes as 0x hex, a value
/// of more than 100 characters as "crc32=N length=N" of its bytes.
std::string show(const message::Column& column, base::Bytes value);
/// "insert id=1 | a=-128", "update id=1 | a=2 => id=1 | a=3", "delete ..."; NULL is "NULL".
std::string show(const message::TableSchema& schema, const message::RowView& row);

/// Decodes everything a stream reports into lines of text, for comparing whole files.
class Recorder : public Handler {
 public:
  /// Refinements by "database.table".
  std::function<SchemaOptions(const TableMap&)> options_of = [](const TableMap&) { return options(); };
  std::function<bool(std::string_view, std::string_view)> wanted = [](auto, auto) { return true; };

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::vector<std::string> rows_of(const std::string& table) const;
  [[nodiscard]] const std::vector<RowEncoder>& encoders() const { return encoders_; }
  [[nodiscard]] const message::TableSchema* schema(const std::string& table) const;

  base::Result<void> on_gtid(const GtidEvent& gtid, const EventHeader& header, const Where& where) override;
  bool wants(std::string_view database, std::string_view table) override { return wanted(database, table); }
  base::Result<TableToken> on_table(const TableMap& map, const Where& where) override;
  base::Result<void> on_rows(TableToken table, const RowsEvent& rows) override;
  base::Result<void> on_query(const QueryInfo& query) override;
  base::Result<void> on_commit(const EventHeader& header) override;
  base::Result<void> on_rollback() override;
  base::Result<void> on_xa_prepare(const Xid& xid) override;
  base::Result<void> on_xa_commit(const Xid& xid) override;
  base::Result<void> on_xa_rollback(const Xid& xid) override;
  base::Result<void> on_gtid_list(const message::GtidSet& set) override;
  base::Result<void> on_heartbeat(std::string_view file, std::uint64_t position) override;
  base::Result<void> on_rotate(std::string_view file, std::uint64_t position, bool artificial) override;
  base::Result<void> on_incident(std::string_view text, const Where& where) override;

 private:
  std::vector<std::string> lines_;
  std::vector<RowEncoder> encoders_;
};

/// Feeds every event of `file` to a reader; the error that stopped it, if any.
base::Result<void> decode(base::Bytes file, Handler& handler);

}  // namespace datasync::binlog::test
