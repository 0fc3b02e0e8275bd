#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "agents/base/clock.hpp"
#include "operator/runtime/work_queue.hpp"

namespace datasync::runtime {

enum class EventKind : std::uint8_t { Normal, Warning };

/// Writes events.k8s.io Events about objects. The same reason and note for the same object is one Event; when it
/// comes again the second, fourth, eighth... time, or after `again`, that gets a series with the count. A failure to
/// write is logged and forgotten: an Event is for people, nothing depends on it. Thread-safe; blocks for the API call.
/// At most `most_kept` Events are remembered.
class EventRecorder {
 public:
  struct Options {
    std::string controller = "datasync.dev/operator";  ///< reportingController
    std::string instance;                              ///< reportingInstance: the pod's name
    base::Millis again{1'800'000};
    std::size_t most_kept = 4096;
    NowFn now = base::steady_now;
    std::function<base::WallTime()> wall = base::wall_now;
  };
  EventRecorder(kube::Api& api, Options options);

  /// `regarding` is the object as the server gave it (apiVersion, kind, metadata). `action` is what the operator did,
  /// CamelCase; `note` is cut at 1024 bytes. Never holds a secret.
  void record(const Json& regarding, EventKind kind, std::string_view reason, std::string_view action,
              std::string_view note);

 private:
  using Id = std::tuple<std::string, std::string, std::string>;  ///< uid, reason, note
  struct Kept {
    ObjectKey event;
    std::uint64_t count = 1;
    base::SteadyTime written;
  };
  kube::Api& api_;
  Options options_;
  std::mutex mutex_;
  std::map<Id, Kept> kept_;
  std::deque<Id> order_;
  std::uint64_t number_ = 0;
};

/// RFC 3339 with microseconds, in UTC: what Lease and Event want for a MicroTime.
std::string micro_time(base::WallTime time);

}  // namespace datasync::runtime
