#include "agents/capture/chunk_reader.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/preflight.hpp"
#include "agents/message/row.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

// Where a consistent snapshot stands:
// https://mariadb.com/kb/en/enhancements-for-start-transaction-with-consistent-snapshot/
constexpr std::string_view kSnapshotPoint =
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.SESSION_STATUS "
    "WHERE VARIABLE_NAME IN ('BINLOG_SNAPSHOT_FILE','BINLOG_SNAPSHOT_POSITION')";

base::Result<BinlogPoint> snapshot_point(sql::Connection& connection) {
  DS_ASSIGN(const auto rows, connection.query(kSnapshotPoint));
  BinlogPoint point;
  for (const auto& row : rows) {
    const auto value = row.at(1).value_or("");
    if (row.at(0).value_or("").ends_with("FILE"))
      point.file = value;
    else
      std::from_chars(value.data(), value.data() + value.size(), point.position);
  }
  if (point.file.empty() || point.position == 0)
    return Error(Reason::PreflightFailed, "the server does not tell the binlog position of a consistent snapshot");
  return point;
}

}  // namespace

base::Result<std::string> key_of(const message::TableSchema& schema, base::Bytes image) {
  base::Buffer row(image.size() + 1);
  row.put(static_cast<std::uint8_t>(message::Op::Insert));
  row.append(image);
  message::RowReader reader(schema, row.bytes());
  message::RowView view;
  DS_TRY(reader.next(view));
  base::Buffer key;
  message::ImageWriter writer(key, schema.key.size());
  for (const auto i : schema.key) {
    if (view.after.nulls[i] != 0)
      writer.null();
    else if (message::value_width(schema.columns[i].type) == message::kVariable)
      writer.bytes(view.after.values[i]);
    else
      writer.fixed_bytes(view.after.values[i]);
  }
  return std::string(key.text());
}

base::Result<ChunkGate::Ticket> ChunkReader::open_snapshot() {
  const ChunkGate::Hold hold(gate_);
  const auto replica = gate_.replica();
  const auto generation = gate_.generation();
  if (replica.empty()) return Error(Reason::SourceUnreachable, "no replica is connected");
  if (!connection_ || failed_ || connected_to_ != replica) {
    connection_.reset();
    DS_ASSIGN(connection_, connect_(replica));
    failed_ = false;
    connected_to_ = replica;
    DS_TRY(connection_->execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  }
  DS_TRY(connection_->execute("START TRANSACTION WITH CONSISTENT SNAPSHOT"));
  DS_ASSIGN(const auto point, snapshot_point(*connection_));
  return gate_.take_place(point, generation);
}

base::Result<Chunk> ChunkReader::describe(const TableChoice& table) {
  Chunk chunk;
  DS_ASSIGN(const auto info, sql::read_table_info(*connection_, table.database, table.table));
  if (!info) return Error(Reason::TableDropped, table.qualified() + " does not exist");
  DS_ASSIGN(chunk.schema, captured_schema(table, info->schema));
  chunk.rows_estimate = info->rows_estimate;
  return chunk;
}

template <class Work>
base::Result<Chunk> ChunkReader::within_snapshot(const TableChoice& table, std::stop_token stop, Work work) {
  auto place = open_snapshot();
  if (!place) {
    failed_ = true;
    return Error(std::move(place).error());
  }
  const std::stop_callback wake(stop, [this] { connection_->abort(); });
  auto chunk = describe(table);
  if (chunk) {
    chunk->place = *place;
    if (auto done = work(*chunk); !done) chunk = std::move(done).error();
  }
  if (!chunk) {
    gate_.done(*place);
    failed_ = true;  // closed before the next use: a stop may be aborting it right now
    return std::move(chunk).error().context("while reading " + table.qualified());
  }
  connection_->rollback();
  return chunk;
}

base::Result<Chunk> ChunkReader::read(const TableChoice& table, const std::string& after_key, const ChunkLimits& limits,
                                      std::stop_token stop) {
  return within_snapshot(table, std::move(stop),
                         [&](Chunk& chunk) { return read_rows(table, after_key, limits, chunk); });
}

base::Result<void> ChunkReader::read_rows(const TableChoice& table, const std::string& after_key,
                                          const ChunkLimits& limits, Chunk& chunk) {
  sql::TableReader::Range range;
  range.after_key = after_key;
  range.limit = limits.rows;
  DS_ASSIGN(const auto reader, sql::TableReader::open(*connection_, chunk.schema, table.database, table.table, range));
  std::uint64_t bytes = 0;
  std::size_t last_at = 0;
  while (true) {
    if (chunk.fragments.empty() || chunk.fragments.back().rows.size() >= limits.fragment_bytes)
      chunk.fragments.emplace_back();
    auto& fragment = chunk.fragments.back();
    const auto at = fragment.rows.size();
    fragment.rows.put(static_cast<std::uint8_t>(message::Op::Insert));
    DS_ASSIGN(const bool more, reader->next(fragment.rows));
    if (!more) {
      fragment.rows.truncate(at);
      if (fragment.count == 0) chunk.fragments.pop_back();
      break;
    }
    ++fragment.count;
    ++chunk.rows;
    last_at = at + 1;
    bytes += fragment.rows.size() - at;
    if (bytes >= limits.bytes) break;
  }
  const bool short_by_bytes = bytes >= limits.bytes;
  chunk.complete = !short_by_bytes && (limits.rows == 0 || chunk.rows < limits.rows);
  chunk.last_key = after_key;
  if (chunk.rows > 0) {
    DS_ASSIGN(chunk.last_key, key_of(chunk.schema, chunk.fragments.back().rows.bytes().subspan(last_at)));
  }
  return {};
}

base::Result<Chunk> ChunkReader::scan(const TableChoice& table, const Take& take, std::stop_token stop) {
  return within_snapshot(table, std::move(stop), [&](Chunk& chunk) -> base::Result<void> {
    DS_ASSIGN(const auto reader, sql::TableReader::open(*connection_, chunk.schema, table.database, table.table, {}));
    base::Buffer image;
    while (true) {
      image.clear();
      DS_ASSIGN(const bool more, reader->next(image));
      if (!more) return {};
      take(image.bytes());
      ++chunk.rows;
    }
  });
}

}  // namespace datasync::capture
