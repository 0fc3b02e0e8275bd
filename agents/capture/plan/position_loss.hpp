#pragma once
// Who may give up a position that no binlog reaches back to any more, and what is told about it.

#include <mutex>
#include <string>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/message/gtid.hpp"

namespace datasync::capture {

/// No replica can continue from the position: what onPositionLost is about. An XA transaction may be prepared in the
/// instant in which a new stream begins, and be in none of the two readings that ask for such ones: its rows are before
/// the position, its commit after it.
inline bool position_lost(const base::Error& e) noexcept {
  return e.is(base::Reason::BinlogPurged) || e.is(base::Reason::PositionUnknown);
}

/// Thread-safe.
class PositionLoss {
 public:
  explicit PositionLoss(const config::Capture& config) : config_(config) {}

  /// Notes that `position` is lost; empty: not even the position is known. True when it may be given up: by
  /// onPositionLost: Resnapshot, or because a person accepted exactly this position.
  bool may_give_up(const message::GtidSet& position);
  /// The same for a position that a replica may still have: onPositionLost: Resnapshot does not give it up.
  bool accepts(const message::GtidSet& position);
  /// A dump goes on: nothing is lost any more.
  void regained();

  /// What a person has to name; empty: nothing is lost.
  [[nodiscard]] std::string lost() const;
  /// The position that was given up by a person's word; empty: none in this process.
  [[nodiscard]] std::string accepted() const;

 private:
  bool named();
  const config::Capture& config_;
  mutable std::mutex mutex_;
  std::string lost_, accepted_;
};

}  // namespace datasync::capture
