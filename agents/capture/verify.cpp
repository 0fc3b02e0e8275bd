// The verification at the end of a mode Once run: part of SnapshotRunner.

#include <xxhash.h>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"
#include "agents/capture/checksum.hpp"
#include "agents/capture/snapshot.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kFirstWait{50}, kLongestWait{5000};

}  // namespace

void TableChecksum::add(base::Bytes image) noexcept {
  const auto hash = XXH3_128bits(image.data(), image.size());
  low_ += hash.low64;
  high_ += hash.high64 + (low_ < hash.low64 ? 1 : 0);
}

/// Each stream's last table carries the mark: a reader of that stream is done there.
base::Result<void> SnapshotRunner::verify(std::stop_token stop) {
  ChunkReader reader(parts_.gate, parts_.connect);
  const auto tables = parts_.selection.tables();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    bool last = true;
    for (std::size_t k = i + 1; k < tables.size(); ++k) last = last && tables[k].stream != tables[i].stream;
    base::Backoff backoff(kFirstWait, kLongestWait);
    while (true) {
      auto done = verify_table(tables[i], last, reader, stop);
      if (done && *done) break;
      if (done) continue;  // the dump was past the place: read again
      if (done.error().outcome() != base::Outcome::Retry || done.error().is(Reason::ProducerFailed))
        return Error(std::move(done).error());
      if (!base::sleep_for(stop, backoff.next())) return Error(Reason::Stopping, "stopped while verifying");
    }
  }
  return parts_.flush();
}

base::Result<bool> SnapshotRunner::verify_table(const TableChoice& table, bool last, ChunkReader& reader,
                                                std::stop_token stop) {
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
      done = parts_.output.between(table.stream, {message::Kind::Verify, table.type, {}, message::End::None},
                                   message::encode(record), {});
  }
  parts_.gate.done(chunk.place);
  if (!state) return Error(std::move(state).error());
  if (!done) return Error(std::move(done).error());
  if (*state == ChunkGate::State::Passed) return false;
  parts_.status.advance();
  base::log::info("a table's checksum stands on the stream", {{"table", table.qualified()}, {"rows", chunk.rows}});
  return true;
}

}  // namespace datasync::capture
