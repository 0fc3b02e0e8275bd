#pragma once
// Trying again to read rows at a place of the binlog.

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/capture/stream/gate.hpp"

namespace datasync::capture {

/// Told of what keeps rows from being read for a while now, and with nothing when it is over.
using OnTrouble = std::function<void(const base::Error* error)>;

/// Why rows whose place was passed are not taken: they are read once more, but not at once, for it may happen again.
base::Error place_passed();

/// For one thread. What heals by itself is waited for; what lasts is told, and when it is a name that leads to several
/// servers, the dump is asked to begin anew, where the name leads now.
class ReadRetry {
 public:
  static constexpr base::Millis kLasting{10'000};
  /// Short, because the next reading is as likely to succeed after any time.
  static constexpr base::Millis kInDoubt{10};

  ReadRetry(ChunkGate& gate, OnTrouble on_trouble, std::function<base::SteadyTime()> now = base::steady_now)
      : gate_(gate), on_trouble_(std::move(on_trouble)), now_(std::move(now)) {}

  /// Waits before the next try. Errors: `error` when it does not heal by itself; Stopping.
  base::Result<void> failed(const std::string& table, base::Error error, std::stop_token stop);
  /// The rows may lack a commit (ChunkGate::State::InDoubt). Waits before the next try. Errors: Stopping.
  base::Result<void> in_doubt(std::stop_token stop);
  void succeeded();

 private:
  ChunkGate& gate_;
  OnTrouble on_trouble_;
  std::function<base::SteadyTime()> now_;
  base::Backoff backoff_{base::Millis(50), base::Millis(5000)};
  std::optional<base::SteadyTime> since_, doubt_at_, doubtful_since_;
  bool told_ = false;
};

}  // namespace datasync::capture
