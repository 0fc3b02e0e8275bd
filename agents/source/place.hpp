#pragma once
// Places in the log of a source, as a snapshot and a stream of changes have them in common.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/message/gtid.hpp"

namespace datasync::source {

/// A place in a server's log of changes. Places are comparable only within one history (see Server::history) and only
/// within this process; they are never a position to continue from. What is inside belongs to the engine: others only
/// compare. A value type; not thread-safe.
class Place {
 public:
  Place() = default;  ///< before all others
  /// `log`: one of a numbered row of files ("mariadb-bin.000007"), or empty where there is only one log.
  Place(std::string log, std::uint64_t offset) : log_(std::move(log)), offset_(offset) {}

  /// Files are numbered: "mariadb-bin.999999" is before "mariadb-bin.1000000".
  [[nodiscard]] bool before(const Place& other) const noexcept;
  bool operator==(const Place&) const = default;

  // For the engine that made it.
  [[nodiscard]] const std::string& log() const noexcept { return log_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  void set_offset(std::uint64_t offset) noexcept { offset_ = offset; }

 private:
  std::string log_;
  std::uint64_t offset_ = 0;
};

/// Transactions that are prepared, and committed by a later statement (XA). Servers log such a commit first and show it
/// in rows afterwards, at any time. This is what a server said before a snapshot was opened.
struct PreparedBefore {
  Place log_end;                 ///< the log ended here; and after that,
  std::vector<std::string> ids;  ///< these were prepared or not completely committed (as Transaction::xid)
};

/// Where the rows of a snapshot belong among the changes.
struct SnapshotPlace {
  Place place;  ///< after all changes before it
  /// Nothing: the rows have every commit before `place`. Else they may lack the commit of a prepared transaction that
  /// is one of these `ids`, or was logged after `log_end`. They have all others.
  std::optional<PreparedBefore> prepared = {};
  /// Nothing: exactly there. Else rows may already have changes that come after `place`, up to all of these
  /// transactions: until a reader has them, it must take a change whose row is missing or is there already.
  std::optional<message::GtidSet> until = {};
};

}  // namespace datasync::source
