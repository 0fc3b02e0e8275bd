#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"
#include "operator/runtime/work_queue.hpp"

namespace datasync::runtime {

/// The key of an object as the server gave it.
ObjectKey key_of(const Json& object);
/// metadata.resourceVersion; empty when there is none.
std::string resource_version_of(const Json& object);
/// Drops metadata.managedFields, which is half of most objects and of no use to a reader.
void trim_managed_fields(Json& object);

/// A copy of all objects of one kind, kept up to date by list and watch, on one thread of its own.
///
/// A watch that ends, breaks or falls silent is resumed from the last resourceVersion; after 410 everything is listed
/// again, as it is from time to time without a cause (missed events). Waits between tries have back-off and jitter. A
/// list that is older than what was seen already is not believed, until it comes again and again (a restored etcd).
/// Handlers see only differences to the copy, run on the informer's thread after the copy has changed, and must be
/// quick: they add keys to queues.
class Informer {
 public:
  enum class Change : std::uint8_t { Added, Modified, Deleted };
  /// `before` is null for Added; for Deleted `object` is the last state seen and equals `before`.
  using Handler = std::function<void(Change, const Json& object, const Json* before)>;
  using Object = std::shared_ptr<const Json>;

  struct Options {
    kube::Resource kind;
    kube::Selector selector;
    std::function<void(Json&)> trim = trim_managed_fields;  ///< runs before an object is kept
    /// Names under which `indexed` finds an object, e.g. its owner's; empty: no index.
    std::function<std::vector<std::string>(const Json&)> index;
    base::Millis relist{1'800'000};  ///< everything is listed again after this long, give or take a fifth
    base::Millis first_wait{500};
    base::Millis most_wait{30'000};
    unsigned past_lists = 5;  ///< this many lists from the past in a row are taken for the truth
    NowFn now = base::steady_now;
    /// Waits; false when stopped. A test gives its own.
    std::function<bool(std::stop_token, base::Millis)> sleep = base::sleep_for;
  };

  Informer(kube::Api& api, Options options);
  ~Informer();
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  /// Before `start`.
  void on_change(Handler handler);
  /// Before `start`. Called once, on the informer's thread, when the first full list is there.
  void on_sync(std::function<void()> handler);
  void start();
  void stop();  ///< waits for the thread
  /// What the thread does; for tests, which call it without `start`.
  void run(std::stop_token stop);

  /// True after the first full list.
  [[nodiscard]] bool has_synced() const noexcept { return synced_.load(); }
  /// Waits for it; false when stopped first or after `limit`.
  bool wait_synced(std::stop_token stop, base::Millis limit) const;
  /// Why the last try failed; nothing while it works. Forbidden is what an operator without the right sees.
  [[nodiscard]] std::optional<kube::ApiError> last_error() const;
  /// Since when the server has not been heard (list, event, bookmark or an orderly end of a watch).
  [[nodiscard]] base::SteadyTime last_heard() const;

  /// Null when there is none.
  [[nodiscard]] Object get(const ObjectKey& key) const;
  [[nodiscard]] std::vector<Object> all() const;
  [[nodiscard]] std::vector<Object> indexed(const std::string& name) const;
  [[nodiscard]] std::size_t size() const;

  struct Counts {
    std::uint64_t lists = 0, watches = 0, gone = 0, past_lists = 0, past_events = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  enum class Doing : std::uint8_t { List, Watch };
  struct Seen {
    Object object;
    std::vector<std::string> names;
  };
  bool list_once();
  /// True: go on watching at once; false: after a wait.
  bool watch_once(std::stop_token stop);
  void take(const kube::WatchEvent& event);
  void replace(kube::List list);
  void store(Json object);
  void erase(const ObjectKey& key, std::optional<Json> last);
  void unindex(const ObjectKey& key, const Seen& seen);
  void heard(Doing doing);
  void tell(Change change, const Json& object, const Json* before) const;
  void failed(const kube::ApiError& error, Doing doing);

  kube::Api& api_;
  Options options_;
  std::vector<Handler> handlers_;
  std::vector<std::function<void()>> sync_handlers_;
  // Of the informer's thread alone.
  std::string position_;  ///< where the watch goes on; empty: list first
  std::string newest_;    ///< the highest resourceVersion seen
  base::Backoff backoff_;
  base::Millis wait_at_least_{0};  ///< Retry-After of the last failure
  base::SteadyTime next_list_;
  unsigned past_in_a_row_ = 0;

  std::atomic<bool> synced_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any synced_cv_;
  std::map<ObjectKey, Seen> objects_;
  std::map<std::string, std::set<ObjectKey>> index_;
  std::optional<kube::ApiError> last_error_;
  Doing failed_doing_ = Doing::List;
  base::SteadyTime last_heard_;
  Counts counts_;
  std::jthread thread_;  // last: joins before what it uses dies
};

}  // namespace datasync::runtime
