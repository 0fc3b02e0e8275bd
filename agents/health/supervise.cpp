#include "agents/health/supervise.hpp"

#include <algorithm>

#include "agents/base/clock.hpp"
#include "agents/base/log.hpp"

namespace datasync::health {
namespace {

constexpr base::Millis kIdleBeat{5'000};

State state_of(const base::Error& error) {
  if (error.outcome() == base::Outcome::Halt) return State::Stalled;
  return error.is(base::Reason::WaitingForReplica) ? State::WaitingForReplica : State::Retrying;
}

/// Returns true when there is new work, false when stopped.
bool stay_completed(Status& status, std::stop_token stop, const Patience& patience) {
  status.set(State::Completed);
  do {
    status.beat();
    if (patience.work_again && patience.work_again(stop)) return true;
  } while (patience.sleep(stop, kIdleBeat));
  return false;
}

/// Detects attempts that repeat a halt and publish the same data again each time. Two halts are the same when they have
/// the same reason: the message may name another replica and another position in its binlog.
class CostlyHalts {
 public:
  explicit CostlyHalts(const Patience& patience) : patience_(patience) {}

  base::Millis wait(const base::Error& error) {
    const auto spent = patience_.spent ? patience_.spent() : 0;
    const bool repeated = error.reason == reason_ && spent - spent_ >= patience_.costly;
    wait_ = !repeated                  ? base::Millis(0)
            : wait_ == base::Millis(0) ? patience_.costly_first
                                       : std::min(wait_ * 2, patience_.costly_longest);
    reason_ = error.reason;
    spent_ = spent;
    return wait_;
  }

 private:
  const Patience& patience_;
  base::Reason reason_ = base::Reason::Stopping;  // not a halt
  std::uint64_t spent_ = 0;
  base::Millis wait_{0};
};

}  // namespace

ExitCode supervise(std::string_view name, Status& status, std::stop_token stop,
                   const std::function<base::Result<void>(std::stop_token)>& run_once, Patience patience) {
  status.set(State::Starting);
  CostlyHalts costly(patience);
  while (!stop.stop_requested()) {
    status.beat();
    const auto advances = status.advances();
    const auto started = base::steady_now();
    const auto result = run_once(stop);
    status.beat();
    if (stop.stop_requested()) break;
    if (result) {
      if (!stay_completed(status, stop, patience)) break;
      status.set(State::Starting);
      continue;
    }
    const auto& error = result.error();
    if (error.outcome() == base::Outcome::Exit) {
      status.set(State::Stopping, error.reason, error.what);
      return error.is(base::Reason::Superseded) ? ExitCode::Superseded : ExitCode::Done;
    }
    if (status.advances() != advances || base::steady_now() - started >= patience.long_run) {
      patience.retry.reset();
      patience.halt.reset();
    }
    status.set(state_of(error), error.reason, error.what);
    const bool halted = error.outcome() == base::Outcome::Halt;
    auto wait = halted ? std::max(patience.halt_at_least, patience.halt.next()) : patience.retry.next();
    if (halted) wait = std::max(wait, costly.wait(error));
    base::log::debug("tries again", {{"name", name}, {"milliseconds", wait.count()}, {"message", error.what}});
    if (!patience.sleep(stop, wait)) break;
  }
  status.set(State::Stopping);
  return ExitCode::Done;
}

}  // namespace datasync::health
