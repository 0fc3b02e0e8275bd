// The verification at the end of a mode Once run: part of SnapshotRunner.

#include <algorithm>

#include <xxhash.h>

#include "agents/base/log.hpp"
#include "agents/capture/snapshot/checksum.hpp"
#include "agents/capture/snapshot/snapshot.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

}  // namespace

void TableChecksum::add(base::Bytes image) noexcept {
  const auto hash = XXH3_128bits(image.data(), image.size());
  low_ += hash.low64;
  high_ += hash.high64 + (low_ < hash.low64 ? 1 : 0);
}

/// Each stream's last record carries the mark, in its value and in its header: a reader of other types is done there
/// too. A stream that has no table gets a record with just the mark.
base::Result<void> SnapshotRunner::verify(std::stop_token stop) {
  ChunkReader reader(parts_.gate, parts_.connect);
  const auto tables = parts_.selection.tables();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    bool last = true;
    for (std::size_t k = i + 1; k < tables.size(); ++k) last = last && tables[k].stream != tables[i].stream;
    ReadRetry tries(parts_.gate, parts_.on_trouble);
    while (true) {
      auto done = verify_table(tables[i], last, reader, stop);
      if (done && *done == Step::Done) break;
      DS_TRY(done ? tries.in_doubt(stop) : tries.failed(tables[i].qualified(), std::move(done).error(), stop));
    }
    tries.succeeded();
  }
  for (std::int32_t stream = 0; stream < parts_.selection.streams(); ++stream) {
    if (std::ranges::any_of(tables, [&](const auto& t) { return t.stream == stream; })) continue;
    message::Verify mark;
    mark.id = plan_.id;
    mark.position = parts_.writer.position();
    mark.last = true;
    const std::scoped_lock lock(parts_.between);
    DS_TRY(parts_.output.between(stream, {message::Kind::Verify, "", {}, message::End::Transaction},
                                 message::encode(mark), {}));
  }
  return parts_.flush();
}

base::Result<SnapshotRunner::Step> SnapshotRunner::verify_table(const TableChoice& table, bool last,
                                                                ChunkReader& reader, std::stop_token stop) {
  TableChecksum sum;
  DS_ASSIGN(const auto chunk, reader.scan(
                                  table, [&](base::Bytes image) { sum.add(image); }, stop));
  auto state = parts_.gate.wait(chunk.place, stop);
  base::Result<void> done;
  if (state && *state == ChunkGate::State::Reached) {
    done = parts_.keeper.schema(chunk.schema, stop);
    message::Verify record{plan_.id,
                           parts_.writer.position(),
                           table.database,
                           table.table,
                           chunk.schema.id(),
                           chunk.rows,
                           sum.low(),
                           sum.high(),
                           last};
    const std::scoped_lock lock(parts_.between);
    if (done)
      done = parts_.output.between(
          table.stream, {message::Kind::Verify, table.type, {}, last ? message::End::Transaction : message::End::None},
          message::encode(record), {});
  }
  parts_.gate.done(chunk.place);
  if (!state) return Error(std::move(state).error());
  if (!done) return Error(std::move(done).error());
  if (*state == ChunkGate::State::Passed) return place_passed();
  if (*state == ChunkGate::State::InDoubt) return Step::InDoubt;
  parts_.status.advance();
  base::log::info("a table's checksum was published", {{"table", table.qualified()}, {"rows", chunk.rows}});
  return Step::Done;
}

}  // namespace datasync::capture
