#include "agents/source/mariadb/table_copy.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agents/binlog/event.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "agents/message/row.hpp"
#include "agents/source/mariadb/binlog_place.hpp"

namespace datasync::source::mariadb {
namespace {

using base::Error;
using base::Reason;

/// The server stores a value without a single byte where a GEOMETRY NOT NULL was added or left out, but no server takes
/// such a value in a statement.
base::Result<void> check_geometry(const message::TableSchema& schema, base::Bytes image) {
  message::ImageView row;
  DS_TRY(message::read_image(schema, image, row));
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& column = schema.columns[i];
    if (column.type != message::ColumnType::Geometry || row.nulls[i] != 0 || !row.values[i].empty()) continue;
    const auto table = sql::quote_identifier(schema.database, schema.table);
    const auto name = sql::quote_identifier(column.name);
    return Error(
        Reason::UnsupportedValue,
        fmt::format("a row of {} has an empty value in the GEOMETRY column {}, which no destination can store. Give "
                    "all such rows a value: UPDATE {} SET {}=... WHERE LENGTH({})=0; copying then continues",
                    schema.qualified(), column.name, table, name, name));
  }
  return {};
}

bool has_geometry(const message::TableSchema& schema) {
  return std::ranges::any_of(schema.columns, [](const auto& c) { return c.type == message::ColumnType::Geometry; });
}

/// While a place is held; below the read timeout, after which the server would be left working. And for a whole table.
constexpr std::chrono::seconds kInPlace{50}, kWholeTable{600};

Error no_index(const message::TableSchema& schema, std::chrono::seconds time) {
  std::string key;
  for (const auto i : schema.key) key += (key.empty() ? "" : ", ") + sql::quote_identifier(schema.columns[i].name);
  return Error(
      Reason::KeyMissing,
      fmt::format("the server needs more than {} s to sort {} by the key that keyColumns declares: ALTER TABLE "
                  "{} ADD UNIQUE ({}), and declare the columns NOT NULL",
                  time.count(), schema.qualified(), sql::quote_identifier(schema.database, schema.table), key));
}

/// The statements of a connection end at a time limit as long as it exists.
class TimeLimit {
 public:
  static base::Result<std::unique_ptr<TimeLimit>> of(sql::Connection& connection, std::chrono::seconds time) {
    DS_TRY(connection.execute(fmt::format("SET SESSION max_statement_time={}", time.count())));
    return std::make_unique<TimeLimit>(connection);
  }
  explicit TimeLimit(sql::Connection& connection) : connection_(connection) {}
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  ~TimeLimit() {
    // A connection that cannot take it has failed, and is not used again.
    if (!connection_.execute("SET SESSION max_statement_time=0")) connection_.abort();
  }

 private:
  sql::Connection& connection_;
};

class Rows final : public RowReader {
 public:
  Rows(std::unique_ptr<TimeLimit> limit, std::unique_ptr<sql::TableReader> reader,
       std::optional<message::TableSchema> checked)
      : limit_(std::move(limit)), reader_(std::move(reader)), checked_(std::move(checked)) {}

  base::Result<bool> next(base::Buffer& out) override {
    const auto at = out.size();
    DS_ASSIGN(const bool more, reader_->next(out));
    if (more && checked_) DS_TRY(check_geometry(*checked_, out.bytes().subspan(at)));
    return more;
  }

 private:
  std::unique_ptr<TimeLimit> limit_;  ///< ends after the reader
  std::unique_ptr<sql::TableReader> reader_;
  std::optional<message::TableSchema> checked_;  ///< its GEOMETRY columns have a value
};

template <class Number>
Number number(const std::optional<std::string>& text) {
  Number out = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), out);
  return out;
}

base::Result<Place> log_place(sql::Connection& connection) {
  DS_ASSIGN(auto place, sql::binlog_place(connection));
  return Place(std::move(place.file), place.position);
}

/// XA RECOVER has a transaction until its commit is complete in InnoDB; see docs/decisions/0008.
base::Result<PreparedBefore> prepared_before(sql::Connection& connection) {
  PreparedBefore out;
  DS_ASSIGN(out.log_end, log_place(connection));
  DS_ASSIGN(const auto rows, connection.query("XA RECOVER"));
  for (const auto& row : rows) {
    const std::string_view data = row.at(3) ? std::string_view(*row.at(3)) : std::string_view();
    const auto length = std::min(number<std::size_t>(row.at(1)), data.size());
    const auto format = static_cast<std::uint32_t>(number<std::int64_t>(row.at(0)));
    out.ids.push_back(binlog::Xid{format, data.substr(0, length), data.substr(length)}.text());
  }
  return out;
}

sql::TableReader::Range range_of(const KeyRange& range) {
  return {range.after_key, range.up_to_key, range.limit};
}

}  // namespace

base::Result<void> prepare_copy(sql::Connection& connection) {
  DS_TRY(connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  // By default a sort compares only the first 1024 bytes: longer keys would come in another order than the WHERE of the
  // next chunk compares them in.
  // A statement that waits for an ALTER TABLE ends before the read timeout, and is tried again.
  DS_TRY(connection.execute(fmt::format("SET SESSION max_sort_length=65536, lock_wait_timeout={}", kInPlace.count())));
  return {};
}

base::Result<SnapshotPlace> open_snapshot(sql::Connection& connection) {
  // Only what is logged between both readings of the log's end can be in doubt without being prepared before: with many
  // XA transactions, a few tries find a moment when nothing is.
  constexpr int kTries = 4;
  SnapshotPlace out;
  for (int tries = 1;; ++tries) {
    DS_ASSIGN(out.prepared, prepared_before(connection));
    DS_TRY(connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT"));
    DS_ASSIGN(out.place, log_place(connection));
    if (out.prepared->ids.empty() || out.prepared->log_end == out.place || tries == kTries) return out;
    DS_TRY(connection.execute("COMMIT"));  // else the next reading is of this snapshot
  }
}

/// The server compares a YEAR(2) by its last two digits, and sorts it by the whole year.
base::Result<void> check_key(sql::Connection& connection, const message::TableSchema& schema) {
  for (const auto i : schema.key) {
    const auto& column = schema.columns[i];
    if (column.type != message::ColumnType::Year) continue;
    DS_ASSIGN(const auto found,
              connection.query_one(fmt::format("SELECT 1 FROM information_schema.columns WHERE table_schema={} AND "
                                               "table_name={} AND column_name={} AND column_type='year(2)'",
                                               sql::quote_text(schema.database), sql::quote_text(schema.table),
                                               sql::quote_text(column.name))));
    if (found)
      return Error(Reason::UnsupportedType,
                   fmt::format("the key column {} of {} is YEAR(2), which the server compares in another order than it "
                               "sorts: ALTER TABLE {} MODIFY {} YEAR(4) NOT NULL",
                               column.name, schema.qualified(), sql::quote_identifier(schema.database, schema.table),
                               sql::quote_identifier(column.name)));
  }
  return {};
}

base::Result<std::unique_ptr<RowReader>> read_rows(sql::Connection& connection, const message::TableSchema& schema,
                                                   const KeyRange& range) {
  std::unique_ptr<TimeLimit> limit;
  if (!range.by_index) {
    DS_ASSIGN(limit, TimeLimit::of(connection, kInPlace));
  }
  auto reader = sql::TableReader::open(connection, schema, schema.database, schema.table, range_of(range));
  if (!reader && limit && sql::ended_by_time(connection)) return no_index(schema, kInPlace);
  if (!reader) return Error(std::move(reader).error());
  return std::unique_ptr<RowReader>(std::make_unique<Rows>(
      std::move(limit), std::move(*reader), has_geometry(schema) ? std::optional(schema) : std::nullopt));
}

// A server that need not sort sends the first row at once.
base::Result<std::unique_ptr<RowReader>> scan_rows(sql::Connection& connection, const message::TableSchema& schema) {
  DS_ASSIGN(auto reader, sql::TableReader::open(connection, schema, schema.database, schema.table, {.ordered = false}));
  return std::unique_ptr<RowReader>(std::make_unique<Rows>(nullptr, std::move(reader), std::nullopt));
}

base::Result<bool> repeats_a_key(sql::Connection& connection, const message::TableSchema& schema,
                                 const KeyRange& range) {
  const bool whole = range.after_key.empty() && range.up_to_key.empty();
  const auto time = whole ? kWholeTable : kInPlace;
  DS_ASSIGN(const auto repeats,
            sql::repeats_a_key(connection, schema, schema.database, schema.table, range_of(range), time));
  if (!repeats) return no_index(schema, time);
  return *repeats;
}

}  // namespace datasync::source::mariadb
