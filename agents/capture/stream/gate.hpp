#pragma once
// How chunks read from a replica find their exact place in the stream, without a lock on the server.
//
// A reader opens a consistent snapshot and learns the binlog coordinates it stands at. Its rows belong on the stream
// right after the transactions before these coordinates. The gate makes the dump stop there: a reader first holds the
// dump between two transactions, so that it cannot run past the point that is about to be known, then says where the
// point is and lets go; the dump goes on up to it and waits until the rows are on the stream.
//
// Coordinates are compared only between the dump of one binlog history and snapshots of the same history (a run of one
// server between two RESET MASTER, see source::Server::history), within this process; they are never a position to go
// on from. A replica's name is no such thing: it may lead to another server at every connection.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agents/base/result.hpp"
#include "agents/source/place.hpp"

namespace datasync::capture {

/// What a place is taken in.
struct Origin {
  std::string replica;  ///< "host:port" as configured; empty: no dump has begun yet
  std::string history;  ///< as the dump's own connection tells it
  std::uint64_t generation = 0;
  bool operator==(const Origin&) const = default;
};

/// Between one dump thread and any number of readers. Thread-safe.
class ChunkGate {
 public:
  enum class State : std::uint8_t {
    Waiting,  ///< the dump has not come there yet
    Reached,  ///< the dump stands there and waits: put the rows on the stream, then `done`
    Passed,   ///< the dump is past it, or reads another history: read again
    InDoubt,  ///< the rows may lack a commit before it: read again
  };
  struct Place {
    source::Place point;
    std::uint64_t generation = 0;
    State state = State::Waiting;
    std::optional<source::PreparedBefore> prepared = {};
  };
  using Ticket = std::list<Place>::iterator;

  // The dump thread.

  /// A dump of `replica` begins, whose binlog has this history and ended here just before. Coordinates of another
  /// history, or of a binlog that went further than this one, mean nothing now: places not reached are passed.
  void connected(const std::string& replica, const std::string& history, const source::Place& end);
  /// Somebody doubts that the dump reads the server that the replica's name leads to: it should begin anew.
  [[nodiscard]] bool doubted() const noexcept { return doubted_.load(std::memory_order_relaxed); }
  /// The binlog was read up to here; outside a transaction.
  void moved_to(const source::Place& point);
  /// The transaction that ends next is prepared under this XA id.
  void prepared(std::string_view xid);
  /// The transaction that ends here commits (perhaps, if it could not be read) what was prepared under this XA id.
  void prepared_committed(std::string_view xid, const source::Place& end);
  /// A transaction ended here.
  void transaction_ended(const source::Place& end);
  /// A transaction begins whose first event ends here: waits while a reader holds or has a place before it.
  /// Errors: Stopping.
  base::Result<void> before_transaction(const source::Place& first_event_end, std::stop_token stop);

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
  /// What a snapshot is about to be opened for. It counts only if it is the same under the Hold.
  [[nodiscard]] Origin origin() const;
  [[nodiscard]] std::string replica() const { return origin().replica; }
  /// See `doubted`; until the next dump begins.
  void doubt() noexcept { doubted_.store(true, std::memory_order_relaxed); }
  /// `prepared`: of source::SnapshotPlace.
  Ticket take_place(const source::Place& point, std::uint64_t generation,
                    std::optional<source::PreparedBefore> prepared = {});
  /// Waits until the place is not Waiting any more. Errors: Stopping.
  base::Result<State> wait(Ticket ticket, std::stop_token stop);
  /// The rows are on the stream, or given up: the dump may go on.
  void done(Ticket ticket);

 private:
  // With the mutex held.
  void settle();
  [[nodiscard]] State arrived(const Place& place) const;
  void begin_anew(const source::Place& at);

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Origin origin_;
  std::atomic<bool> doubted_ = false;
  bool in_transaction_ = false;
  source::Place read_;   ///< read up to here
  source::Place ended_;  ///< end of the last transaction
  /// End of the last transaction that committed a prepared one.
  source::Place prepared_commit_;
  /// The XA ids of the newest of these, oldest first, except those that are prepared again. Of all histories: another
  /// server may be at the commit of one that is on the streams since long ago.
  std::list<std::string> committed_;
  std::unordered_map<std::string, std::list<std::string>::iterator> committed_by_id_;
  unsigned holds_ = 0;
  std::list<Place> places_;
};

}  // namespace datasync::capture
