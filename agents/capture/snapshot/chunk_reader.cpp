#include "agents/capture/snapshot/chunk_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/replica/cascades.hpp"
#include "agents/capture/replica/preflight.hpp"
#include "agents/message/row.hpp"
#include "agents/source/mariadb/binlog_place.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

/// The server stores a value without a single byte where a GEOMETRY NOT NULL was added or left out, but no server takes
/// such a value in a statement.
base::Result<void> check_geometry(const message::TableSchema& schema, base::Bytes row) {
  message::RowReader reader(schema, row);
  message::RowView view;
  DS_TRY(reader.next(view));
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& column = schema.columns[i];
    if (column.type != message::ColumnType::Geometry || view.after.nulls[i] != 0 || !view.after.values[i].empty())
      continue;
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

/// The server compares a YEAR(2) by its last two digits, and sorts it by the whole year.
base::Result<void> comparable_key(sql::Connection& connection, const message::TableSchema& schema) {
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

bool has_geometry(const message::TableSchema& schema) {
  return std::ranges::any_of(schema.columns, [](const auto& c) { return c.type == message::ColumnType::Geometry; });
}

}  // namespace

bool key_is_unique(const sql::TableInfo& info, const message::TableSchema& schema) {
  if (!info.schema.key.empty()) return true;
  if (info.unique_by_prefix) return false;
  const auto within = [&](std::uint16_t index) {
    const auto& column = info.schema.columns[index];
    return !column.nullable &&
           std::ranges::any_of(schema.key, [&](auto k) { return schema.columns[k].name == column.name; });
  };
  return std::ranges::any_of(info.unique_keys,
                             [&](const auto& key) { return !key.empty() && std::ranges::all_of(key, within); });
}

std::string place_of(const message::TableSchema& schema, std::string_view key) {
  base::Buffer out(key.size() + sizeof(std::uint64_t));
  out.append(key);
  out.put(sql::key_schema(schema).id().value());
  return std::string(out.text());
}

std::string key_in(const message::TableSchema& schema, std::string_view place) {
  constexpr auto kId = sizeof(std::uint64_t);
  if (place.size() <= kId) return {};
  const auto key = place.substr(0, place.size() - kId);
  const bool same = base::Cursor(base::as_bytes(place.substr(key.size()))).get<std::uint64_t>() ==
                    sql::key_schema(schema).id().value();
  return same ? std::string(key) : std::string();
}

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

base::Result<void> ChunkReader::connect(const std::string& replica) {
  if (replica.empty()) return Error(Reason::SourceUnreachable, "no replica is connected");
  if (connection_ && !failed_ && connected_to_ == replica) return {};
  connection_.reset();
  DS_ASSIGN(connection_, connect_(replica));
  failed_ = false;
  connected_to_ = replica;
  DS_TRY(connection_->execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  // By default a sort compares only the first 1024 bytes: longer keys would come in another order than the WHERE of the
  // next chunk compares them in.
  DS_TRY(connection_->execute("SET SESSION max_sort_length=65536"));
  return {};
}

base::Result<ChunkGate::Ticket> ChunkReader::take_place(const Origin& origin) {
  const ChunkGate::Hold hold(gate_);
  if (gate_.origin() != origin)
    return Error(Reason::SourceRestarted, "the binlog connection was opened again meanwhile");
  DS_TRY(connection_->execute("START TRANSACTION WITH CONSISTENT SNAPSHOT"));
  DS_ASSIGN(auto place, sql::binlog_place(*connection_));
  return gate_.take_place({std::move(place.file), place.position}, origin.generation);
}

/// Asked when the snapshot is open, so that a change before it is seen. One after it passes the place, as soon as the
/// dump sees it.
base::Result<void> ChunkReader::same_history(const Origin& origin) {
  DS_ASSIGN(const auto history, sql::binlog_history(*connection_));
  if (history == origin.history) return {};
  return Error(Reason::SourceMoved, fmt::format("{} now resolves to {}, and the binlog is read from {}", origin.replica,
                                                history, origin.history));
}

base::Result<ChunkGate::Ticket> ChunkReader::open_snapshot() {
  const auto origin = gate_.origin();
  DS_TRY(connect(origin.replica));
  DS_ASSIGN(const auto place, take_place(origin));
  if (auto same = same_history(origin); !same) {
    gate_.done(place);
    return Error(std::move(same).error());
  }
  return place;
}

base::Result<Chunk> ChunkReader::describe(const TableChoice& table) {
  Chunk chunk;
  DS_ASSIGN(const auto info, sql::read_table_info(*connection_, table.database, table.table, table.exclude));
  if (!info) return Error(Reason::TableDropped, table.qualified() + " does not exist");
  DS_ASSIGN(chunk.schema, captured_schema(table, info->schema, info->unread_columns));
  DS_TRY(comparable_key(*connection_, chunk.schema));
  chunk.rows_estimate = info->rows_estimate;
  chunk.key_unique = key_is_unique(*info, chunk.schema);
  chunk.acting_keys = acting_keys_of(*info);
  return chunk;
}

/// Nothing but the user's word says that a declared key is unique. Rows of the same key would be stored as one: those
/// on both sides of a chunk's border would not even be read. The end of the table asks for all of it, because rows may
/// have come before the last chunk meanwhile.
base::Result<void> ChunkReader::unique_keys(const TableChoice& table, const std::string& after_key,
                                            const Chunk& chunk) {
  if (chunk.key_unique) return {};
  sql::TableReader::Range range;
  if (!chunk.complete) range = {after_key, chunk.last_key, 0};
  DS_ASSIGN(const bool repeated, sql::repeats_a_key(*connection_, chunk.schema, table.database, table.table, range));
  if (!repeated) return {};
  std::string key;
  for (const auto i : chunk.schema.key) key += (key.empty() ? "" : ", ") + chunk.schema.columns[i].name;
  return Error(Reason::KeyMissing,
               fmt::format("two rows of {} have the same values in {}, which keyColumns declares as its key. Declare "
                           "columns that name every row uniquely, or delete the repeated rows",
                           table.qualified(), key));
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

base::Result<Chunk> ChunkReader::read(const TableChoice& table, const std::string& after, const ChunkLimits& limits,
                                      std::stop_token stop) {
  auto read = within_snapshot(table, std::move(stop), [&](Chunk& chunk) -> base::Result<void> {
    const auto key = key_in(chunk.schema, after);
    DS_TRY(read_rows(table, key, limits, chunk));
    DS_TRY(unique_keys(table, key, chunk));
    chunk.after = chunk.rows > 0 ? place_of(chunk.schema, chunk.last_key) : after;
    return {};
  });
  // The library keeps a buffer as large as the largest row for as long as the connection lives.
  constexpr std::size_t kHuge = std::size_t{4} << 20U;
  if (read && std::ranges::any_of(read->fragments, [](const auto& f) { return f.rows.size() > kHuge; }))
    connection_.reset();
  return read;
}

base::Result<void> ChunkReader::read_rows(const TableChoice& table, const std::string& after_key,
                                          const ChunkLimits& limits, Chunk& chunk) {
  sql::TableReader::Range range;
  range.after_key = after_key;
  range.limit = limits.rows;
  DS_ASSIGN(const auto reader, sql::TableReader::open(*connection_, chunk.schema, table.database, table.table, range));
  const bool geometry = has_geometry(chunk.schema);
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
    const auto row = fragment.rows.bytes().subspan(at);
    if (geometry) DS_TRY(check_geometry(chunk.schema, row));
    bytes += row.size();
    ++chunk.rows;
    last_at = at + 1;
    if (at > 0 && fragment.rows.size() > limits.fragment_bytes) {
      Fragment next;
      next.rows.append(row);
      next.count = 1;
      fragment.rows.truncate(at);
      chunk.fragments.push_back(std::move(next));
      last_at = 1;
    } else {
      ++fragment.count;
    }
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
    // The checksum does not depend on the order, and a server that need not sort sends the first row at once.
    DS_ASSIGN(const auto reader,
              sql::TableReader::open(*connection_, chunk.schema, table.database, table.table, {.ordered = false}));
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
