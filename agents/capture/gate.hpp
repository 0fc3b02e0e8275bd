#pragma once
// How chunks read from a replica find their exact place in the stream, without a lock on the server.
//
// A reader opens a consistent snapshot and learns the binlog coordinates it stands at. Its rows belong on the stream
// right after the transactions before these coordinates. The gate makes the dump stop there: a reader first holds the
// dump between two transactions, so that it cannot run past the point that is about to be known, then says where the
// point is and lets go; the dump goes on up to it and waits until the rows are on the stream.
//
// Coordinates are compared only between one replica's dump and the same replica's snapshots, within this process; they
// are never a position to go on from.

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"

namespace datasync::capture {

/// A place in one replica's binlog.
struct BinlogPoint {
  std::string file;
  std::uint64_t position = 0;

  /// Files are numbered: "mariadb-bin.999999" stands before "mariadb-bin.1000000".
  [[nodiscard]] bool before(const BinlogPoint& other) const noexcept;
  bool operator==(const BinlogPoint&) const = default;
};

/// Between one dump thread and any number of readers. Thread-safe.
class ChunkGate {
 public:
  enum class State : std::uint8_t {
    Waiting,  ///< the dump has not come there yet
    Reached,  ///< the dump stands there and waits: put the rows on the stream, then `done`
    Passed,   ///< the dump is past it, or reads another replica: read again
  };
  struct Place {
    BinlogPoint point;
    std::uint64_t generation = 0;
    State state = State::Waiting;
  };
  using Ticket = std::list<Place>::iterator;

  // The dump thread.

  /// A dump of `replica` begins. Coordinates of another replica mean nothing now: places not reached are passed.
  void connected(const std::string& replica);
  /// The binlog was read up to here; outside a transaction.
  void moved_to(const BinlogPoint& point);
  /// A transaction ended here.
  void transaction_ended(const BinlogPoint& end);
  /// A transaction begins whose first event ends here: waits while a reader holds or has a place before it.
  /// Errors: Stopping.
  base::Result<void> before_transaction(const BinlogPoint& first_event_end, std::stop_token stop);

  // The readers.

  /// Keeps the dump from starting another transaction until it is gone.
  class Hold {
   public:
    explicit Hold(ChunkGate& gate);
    Hold(Hold&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold();

   private:
    ChunkGate* gate_;
  };
  /// Waits until the dump is between two transactions. Under a Hold it stays there. Errors: Stopping.
  base::Result<void> wait_outside(std::stop_token stop);
  /// The replica and the generation a snapshot is about to be opened for; take it under a Hold.
  [[nodiscard]] std::uint64_t generation() const;
  [[nodiscard]] std::string replica() const;
  Ticket take_place(const BinlogPoint& point, std::uint64_t generation);
  /// Waits until the place is Reached or Passed. Errors: Stopping.
  base::Result<State> wait(Ticket ticket, std::stop_token stop);
  /// The rows are on the stream, or given up: the dump may go on.
  void done(Ticket ticket);

 private:
  void settle();  ///< with the mutex held
  [[nodiscard]] bool blocks(const BinlogPoint& first_event_end) const;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string replica_;
  std::uint64_t generation_ = 0;
  bool in_transaction_ = false;
  BinlogPoint read_;   ///< read up to here
  BinlogPoint ended_;  ///< end of the last transaction
  unsigned holds_ = 0;
  std::list<Place> places_;
};

}  // namespace datasync::capture
