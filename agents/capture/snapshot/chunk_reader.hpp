#pragma once
// Reads rows of a table at an exact place of the binlog.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/replica_set.hpp"
#include "agents/capture/stream/gate.hpp"
#include "agents/message/definition.hpp"
#include "agents/message/schema.hpp"
#include "agents/source/source.hpp"

namespace datasync::capture {

struct ChunkLimits {
  std::uint64_t rows = 10000;                    ///< 0: all
  std::uint64_t bytes = 8ULL << 20U;             ///< a chunk ends at the first row beyond
  std::uint64_t fragment_bytes = 256ULL << 10U;  ///< of one record; a row alone may need more
};

/// Rows of one record, in the compact layout.
struct Fragment {
  base::Buffer rows;
  std::uint32_t count = 0;
};

struct Chunk {
  message::TableSchema schema;
  std::vector<Fragment> fragments;
  std::uint64_t rows = 0;
  std::uint64_t rows_estimate = 0;
  std::string last_key;    ///< of its last row; as before when it has none
  std::string after;       ///< where the next chunk begins, see `place_of`
  bool complete = false;   ///< the table ends here
  bool by_bytes = false;   ///< it ends where it has the bytes of a chunk: with the same limit, the next one may too
  bool key_unique = true;  ///< the server sees to it that no two rows have the same key
  std::vector<message::ActingKey> acting_keys;
  ChunkGate::Ticket place;
  std::optional<message::GtidSet> until = {};  ///< see source::SnapshotPlace
};

/// One connection and what is read over it. Not thread-safe.
class ChunkReader {
 public:
  ChunkReader(ChunkGate& gate, ConnectTo connect) : gate_(gate), connect_(std::move(connect)) {}

  /// Opens a consistent snapshot, takes its place at the gate and reads the rows after `after` (Chunk::after of the
  /// chunk before), or from the table's beginning when `after` is empty or the key is another one since. On success the
  /// caller owes `gate.done(place)`. Before the end of a table without a unique key, the keys of the whole table are
  /// checked, which may take many minutes; no place is held meanwhile. Errors: those of the connection, SourceMoved
  /// (read again); KeyMissing (no key, or two rows have the same declared key, or it takes too long to say that);
  /// UnsupportedValue; TableDropped; Stopping.
  base::Result<Chunk> read(const TableChoice& table, const std::string& after, const ChunkLimits& limits,
                           std::stop_token stop);

  /// The same at an exact place, but every row image is handed to `take` and nothing is kept.
  using Take = std::function<void(base::Bytes image)>;
  base::Result<Chunk> scan(const TableChoice& table, const Take& take, std::stop_token stop);

 private:
  base::Result<void> connect(const std::string& replica);
  base::Result<void> check_keys(const TableChoice& table, std::stop_token stop);
  /// A snapshot that is open.
  struct Opened {
    ChunkGate::Ticket place;
    std::optional<message::GtidSet> until;
  };
  base::Result<Opened> take_place(const Origin& origin, bool exact);
  base::Result<void> same_history(const Origin& origin);
  base::Result<Opened> open_snapshot(bool exact);
  base::Result<Chunk> describe(const TableChoice& table);
  base::Result<void> unique_keys(const TableChoice& table, const source::KeyRange& range, const Chunk& chunk);
  base::Result<void> read_rows(const std::string& after_key, const ChunkLimits& limits, Chunk& chunk);
  template <class Work>
  base::Result<Chunk> within_snapshot(const TableChoice& table, bool exact, std::stop_token stop, Work work);

  ChunkGate& gate_;
  ConnectTo connect_;
  std::unique_ptr<source::Server> server_;
  std::string connected_to_;
  bool failed_ = false;
  const TableChoice* keys_checked_ = nullptr;  ///< of the whole of this table, which is being read
};

/// The rows to ask for after a chunk that was read with such a limit, so that about a chunk's bytes come: a server that
/// is asked for more has read and sent them in vain. `most`: 0 for all.
std::uint64_t next_rows(const Chunk& chunk, std::uint64_t limit, std::uint64_t most);

/// True when a primary key, or a unique key without NULLs, lies within the key of `schema`.
bool key_is_unique(const source::TableInfo& info, const message::TableSchema& schema);

/// A place in a table: the key image of a row, and which key that is. A key that was altered has another order.
std::string place_of(const message::TableSchema& schema, std::string_view key);
/// The key image in a place; empty when the table has another key by now.
std::string key_in(const message::TableSchema& schema, std::string_view place);

/// The key columns of a row image, as an image of message::key_schema. Errors: ForeignMessage.
base::Result<std::string> key_of(const message::TableSchema& schema, base::Bytes image);

}  // namespace datasync::capture
