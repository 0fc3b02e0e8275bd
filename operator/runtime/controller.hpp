#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agents/base/clock.hpp"
#include "agents/health/metrics.hpp"
#include "operator/runtime/work_queue.hpp"

namespace datasync::runtime {

/// What one reconcile of one object came to.
struct Outcome {
  /// Look again after this long; nothing: at the next change or resync.
  std::optional<base::Millis> requeue_after;
  /// It failed: look again with back-off, not before `retry_after`.
  std::optional<std::string> error;
  base::Millis retry_after{0};
  /// The object is no more: it is no longer counted, looked at again or shown.
  bool gone = false;
  /// With an error: the server refuses what the object asks for, and its status says so. It is tried again like any
  /// failure, but the operator has done its part: the object's age does not grow.
  bool object_refused = false;

  static Outcome done() { return {}; }
  static Outcome again(base::Millis after) { return {after, {}, base::Millis(0), false}; }
  static Outcome failed(std::string why, base::Millis retry_after = base::Millis(0)) {
    return {{}, std::move(why), retry_after, false};
  }
  static Outcome refused(std::string why) {
    auto out = failed(std::move(why));
    out.object_refused = true;
    return out;
  }
  static Outcome failed(const kube::ApiError& error) { return failed(error.message, error.retry_after); }
  static Outcome object_gone() { return {{}, {}, base::Millis(0), true}; }
};

/// Brings one object to what it should be. `stop` is requested when the object's time is up or the controller stops;
/// API calls made by this thread then end too (kube::CallScope).
using Reconcile = std::function<Outcome(const ObjectKey& key, std::stop_token stop)>;

/// Workers over a queue. Every object is looked at when it was added, after a failure with back-off, and at the latest
/// after `resync`; a slow one loses its turn after `object_timeout` and holds nobody else up.
class Controller {
 public:
  struct Options {
    std::string name = "datasync";  ///< label of the metrics
    unsigned workers = 4;
    base::Millis object_timeout{60'000};
    base::Millis resync{600'000};   ///< give or take a fifth, so that a start does not become a beat
    base::Millis silence{180'000};  ///< not live when an object is this late for its turn
    WorkQueue::Options queue;
    NowFn now = base::steady_now;
  };
  /// `metrics` must outlive it.
  Controller(Options options, Reconcile reconcile, health::Metrics& metrics);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  void enqueue(const ObjectKey& key);
  void enqueue_after(const ObjectKey& key, base::Millis wait);

  /// Everything that is known by then counts as first seen now: a standby that waited for hours was not late.
  void start();
  /// Ends the running reconciles (their `stop` is requested) and waits for the workers.
  void stop();
  /// One reconcile of the next key that is ready, on the caller's thread; false when there is none. For tests.
  bool run_one();
  /// Requests the stop of the reconciles whose time is up; returns when the next one's will be. What the guard thread
  /// does, and tests.
  std::optional<base::SteadyTime> expire();

  /// False when reconciling has silently stopped: an object is late for its turn, a ready key is not taken, or a
  /// reconcile does not end. An object that fails again and again is not silence.
  [[nodiscard]] bool live() const;
  /// Why it is not live; empty when it is.
  [[nodiscard]] std::string silent_about() const;
  /// Since the object's last reconcile that did not fail, or since it was first seen.
  [[nodiscard]] std::optional<base::Millis> last_success_age(const ObjectKey& key) const;
  [[nodiscard]] base::Millis oldest_success_age() const;
  [[nodiscard]] std::size_t objects() const;
  [[nodiscard]] WorkQueue& queue() noexcept { return queue_; }

 private:
  struct Known {
    base::SteadyTime next;     ///< when its next turn is due at the latest
    base::SteadyTime success;  ///< last one, or first seen
    std::optional<base::SteadyTime> running_since;
    bool shown = false;  ///< its age is a metric
  };
  struct Turn;
  Outcome reconcile(const ObjectKey& key, std::stop_token stop, bool& timed_out);
  void work(std::stop_token stop);
  void guard(std::stop_token stop);
  void process(const ObjectKey& key, std::stop_token stop);
  void settle(const ObjectKey& key, const Outcome& outcome);
  void tell(const ObjectKey& key, const Outcome& outcome, bool timed_out, base::Millis took);
  void know(const ObjectKey& key);
  void show_age(const ObjectKey& key);
  void forget(const ObjectKey& key);
  [[nodiscard]] base::Millis jittered(base::Millis wait);

  Options options_;
  Reconcile reconcile_;
  health::Metrics& metrics_;
  WorkQueue queue_;
  mutable std::mutex mutex_;
  std::condition_variable_any guard_wakes_;
  std::map<ObjectKey, Known> known_;
  std::map<ObjectKey, std::shared_ptr<Turn>> turns_;  ///< reconciles that run now
  std::mt19937_64 rng_;
  std::atomic<bool> started_ = false;  ///< ages are shown from then on
  std::vector<std::jthread> threads_;  // last: join before what they use dies
};

}  // namespace datasync::runtime
