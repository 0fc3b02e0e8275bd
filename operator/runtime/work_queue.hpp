#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stop_token>

#include "agents/base/clock.hpp"
#include "operator/kube/api.hpp"

namespace datasync::runtime {

using kube::Json;
using kube::ObjectKey;
using NowFn = std::function<base::SteadyTime()>;

/// Keys of objects that are to be looked at. A key stands in it once, however often it was added; one that is being
/// worked on is handed out again only after `done`, so no object is reconciled by two workers at once.
/// Thread-safe. `now` is asked for delays; a test gives its own and uses `try_get`.
class WorkQueue {
 public:
  struct Options {
    base::Millis first_wait{500};  ///< after the first failure; doubles, with jitter
    base::Millis most_wait{300'000};
    NowFn now = base::steady_now;
    std::uint64_t seed = std::random_device{}();
  };
  explicit WorkQueue(Options options);
  WorkQueue() : WorkQueue(Options{}) {}

  void add(const ObjectKey& key);
  /// Not before `wait` has passed; of several the earliest counts.
  void add_after(const ObjectKey& key, base::Millis wait);
  /// After a failure: waits between half and the whole of first_wait * 2^failures, and at least `at_least`
  /// (Retry-After). Returns the wait.
  base::Millis add_failed(const ObjectKey& key, base::Millis at_least = base::Millis(0));
  /// The failures of a key no longer count.
  void forget(const ObjectKey& key);

  /// The next key, which is then being worked on until `done`; nothing when stopped.
  std::optional<ObjectKey> get(std::stop_token stop);
  std::optional<ObjectKey> try_get();
  void done(const ObjectKey& key);

  [[nodiscard]] std::size_t depth() const;    ///< ready to be taken
  [[nodiscard]] std::size_t delayed() const;  ///< waiting for their time
  [[nodiscard]] unsigned failures(const ObjectKey& key) const;
  /// True while it is in line, waits for its time, or is being worked on.
  [[nodiscard]] bool holds(const ObjectKey& key) const;
  /// For how long something ready has been waiting while nothing was taken; zero when nothing is ready.
  [[nodiscard]] base::Millis stuck_for() const;

 private:
  void enqueue(const ObjectKey& key);
  void promote();  ///< moves what is due from delayed_ to ready_
  std::optional<ObjectKey> take();

  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable_any wakes_;
  std::deque<ObjectKey> ready_;
  std::set<ObjectKey> dirty_;    ///< to be worked on: in ready_, or added again while in working_
  std::set<ObjectKey> working_;  ///< handed out, not done
  std::map<ObjectKey, base::SteadyTime> due_;
  std::set<std::pair<base::SteadyTime, ObjectKey>> delayed_;
  std::map<ObjectKey, unsigned> failures_;
  base::SteadyTime last_move_;  ///< when something was last taken, or became ready in an empty queue
  std::mt19937_64 rng_;
};

}  // namespace datasync::runtime
