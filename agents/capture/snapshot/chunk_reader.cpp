#include "agents/capture/snapshot/chunk_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/plan/captured_schema.hpp"
#include "agents/message/key_schema.hpp"
#include "agents/message/row.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

}  // namespace

bool key_is_unique(const source::TableInfo& info, const message::TableSchema& schema) {
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
  out.put(message::key_schema(schema).id().value());
  return std::string(out.text());
}

std::string key_in(const message::TableSchema& schema, std::string_view place) {
  constexpr auto kId = sizeof(std::uint64_t);
  if (place.size() <= kId) return {};
  const auto key = place.substr(0, place.size() - kId);
  const bool same = base::Cursor(base::as_bytes(place.substr(key.size()))).get<std::uint64_t>() ==
                    message::key_schema(schema).id().value();
  return same ? std::string(key) : std::string();
}

base::Result<std::string> key_of(const message::TableSchema& schema, base::Bytes image) {
  message::ImageView row;
  DS_TRY(message::read_image(schema, image, row));
  base::Buffer key;
  message::ImageWriter writer(key, schema.key.size());
  for (const auto i : schema.key) {
    if (row.nulls[i] != 0)
      writer.null();
    else if (message::value_width(schema.columns[i].type) == message::kVariable)
      writer.bytes(row.values[i]);
    else
      writer.fixed_bytes(row.values[i]);
  }
  return std::string(key.text());
}

base::Result<void> ChunkReader::connect(const std::string& replica) {
  if (replica.empty()) return Error(Reason::SourceUnreachable, "no replica is connected");
  if (server_ && !failed_ && connected_to_ == replica) return {};
  server_.reset();
  DS_ASSIGN(server_, connect_(replica));
  failed_ = false;
  connected_to_ = replica;
  return server_->prepare_copy();
}

base::Result<ChunkReader::Opened> ChunkReader::take_place(const Origin& origin, bool exact) {
  const ChunkGate::Hold hold(gate_);
  if (gate_.origin() != origin)
    return Error(Reason::SourceRestarted, "the binlog connection was opened again meanwhile");
  DS_ASSIGN(auto opened, server_->open_snapshot(exact));
  return Opened{gate_.take_place(opened.place, origin.generation, std::move(opened.prepared)), std::move(opened.until)};
}

/// Asked when the snapshot is open, so that a change before it is seen. One after it passes the place, as soon as the
/// dump sees it.
base::Result<void> ChunkReader::same_history(const Origin& origin) {
  DS_ASSIGN(const auto history, server_->history());
  if (history == origin.history) return {};
  return Error(Reason::SourceMoved, fmt::format("{} now resolves to {}, and the binlog is read from {}", origin.replica,
                                                history, origin.history));
}

base::Result<ChunkReader::Opened> ChunkReader::open_snapshot(bool exact) {
  const auto origin = gate_.origin();
  DS_TRY(connect(origin.replica));
  DS_ASSIGN(auto opened, take_place(origin, exact));
  if (auto same = same_history(origin); !same) {
    gate_.done(opened.place);
    return Error(std::move(same).error());
  }
  return opened;
}

base::Result<Chunk> ChunkReader::describe(const TableChoice& table) {
  Chunk chunk;
  DS_ASSIGN(const auto info, server_->table(table.database, table.table, table.exclude));
  if (!info) return Error(Reason::TableDropped, table.qualified() + " does not exist");
  DS_ASSIGN(chunk.schema, captured_schema(table, info->schema, info->unread_columns));
  DS_TRY(server_->check_key(chunk.schema));
  chunk.rows_estimate = info->rows_estimate;
  chunk.key_unique = key_is_unique(*info, chunk.schema);
  chunk.acting_keys = info->acting_keys;
  return chunk;
}

std::uint64_t next_rows(const Chunk& chunk, std::uint64_t limit, std::uint64_t most) {
  const auto next = chunk.by_bytes ? chunk.rows + chunk.rows / 4 + 1 : std::max<std::uint64_t>(limit, 1) * 2;
  if (limit == 0 && !chunk.by_bytes) return 0;
  return most == 0 ? next : std::min(next, most);
}

/// Nothing but the user's word says that a declared key is unique. Rows of the same key would be stored as one: those
/// on both sides of a chunk's border would not even be read.
base::Result<void> ChunkReader::unique_keys(const TableChoice& table, const source::KeyRange& range,
                                            const Chunk& chunk) {
  if (chunk.key_unique) return {};
  DS_ASSIGN(const bool repeated, server_->repeats_a_key(chunk.schema, range));
  if (!repeated) return {};
  std::string key;
  for (const auto i : chunk.schema.key) key += (key.empty() ? "" : ", ") + chunk.schema.columns[i].name;
  return Error(Reason::KeyMissing,
               fmt::format("two rows of {} have the same values in {}, which keyColumns declares as its key. Declare "
                           "columns that name every row uniquely, or delete the repeated rows",
                           table.qualified(), key));
}

/// The end of a table asks for all of it, because rows may have come before the last chunk meanwhile.
base::Result<void> ChunkReader::check_keys(const TableChoice& table, std::stop_token stop) {
  auto checked = connect(gate_.origin().replica);
  if (checked) {
    const std::stop_callback wake(stop, [this] { server_->abort(); });
    const auto chunk = describe(table);
    checked = chunk ? unique_keys(table, {}, *chunk) : Error(chunk.error());
  }
  failed_ = failed_ || !checked || stop.stop_requested();
  if (!checked) return std::move(checked).error().context("while checking the keys of " + table.qualified());
  return {};
}

template <class Work>
base::Result<Chunk> ChunkReader::within_snapshot(const TableChoice& table, bool exact, std::stop_token stop,
                                                 Work work) {
  auto opened = open_snapshot(exact);
  if (!opened) {
    failed_ = true;
    return Error(std::move(opened).error());
  }
  const std::stop_callback wake(stop, [this] { server_->abort(); });
  auto chunk = describe(table);
  if (chunk) {
    chunk->place = opened->place;
    chunk->until = std::move(opened->until);
    if (auto done = work(*chunk); !done) chunk = std::move(done).error();
  }
  if (!chunk) {
    gate_.done(opened->place);
    failed_ = true;  // closed before the next use: a stop may be aborting it right now
    return std::move(chunk).error().context("while reading " + table.qualified());
  }
  server_->close_snapshot();
  return chunk;
}

base::Result<Chunk> ChunkReader::read(const TableChoice& table, const std::string& after, const ChunkLimits& limits,
                                      std::stop_token stop) {
  auto read = within_snapshot(table, false, stop, [&](Chunk& chunk) -> base::Result<void> {
    const auto key = key_in(chunk.schema, after);
    DS_TRY(read_rows(key, limits, chunk));
    DS_TRY(unique_keys(table, {key, chunk.complete ? "" : chunk.last_key}, chunk));
    chunk.after = chunk.rows > 0 ? place_of(chunk.schema, chunk.last_key) : after;
    return {};
  });
  // The library keeps a buffer as large as the largest row for as long as the connection lives.
  constexpr std::size_t kHuge = std::size_t{4} << 20U;
  if (read && std::ranges::any_of(read->fragments, [](const auto& f) { return f.rows.size() > kHuge; }))
    server_.reset();
  if (after.empty()) keys_checked_ = nullptr;
  if (!read || !read->complete || read->key_unique || after.empty() || keys_checked_ == &table) return read;
  gate_.done(read->place);
  DS_TRY(check_keys(table, stop));
  keys_checked_ = &table;
  return this->read(table, after, limits, std::move(stop));  // the dump may be past its place by now
}

base::Result<void> ChunkReader::read_rows(const std::string& after_key, const ChunkLimits& limits, Chunk& chunk) {
  DS_ASSIGN(const auto reader, server_->read(chunk.schema, {after_key, "", limits.rows, chunk.key_unique}));
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
  chunk.by_bytes = bytes >= limits.bytes;
  chunk.complete = !chunk.by_bytes && (limits.rows == 0 || chunk.rows < limits.rows);
  // What is left of the answer would be read to its end, however much it is. A key that is to be checked needs the
  // connection: its first chunk alone is read to the end.
  const bool much_is_left = chunk.by_bytes && (limits.rows == 0 || limits.rows > 2 * chunk.rows);
  if (much_is_left && chunk.key_unique) {
    server_->abort();
    failed_ = true;
  }
  chunk.last_key = after_key;
  if (chunk.rows > 0) {
    DS_ASSIGN(chunk.last_key, key_of(chunk.schema, chunk.fragments.back().rows.bytes().subspan(last_at)));
  }
  return {};
}

base::Result<Chunk> ChunkReader::scan(const TableChoice& table, const Take& take, std::stop_token stop) {
  return within_snapshot(table, true, std::move(stop), [&](Chunk& chunk) -> base::Result<void> {
    DS_ASSIGN(const auto reader, server_->scan(chunk.schema));  // the checksum does not depend on the order
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
