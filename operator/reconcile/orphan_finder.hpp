#pragma once
// Objects of kinds that the installation asks for no more (--network-policy was on before). They are looked for once
// after a start, not watched: nobody but an earlier run of this operator makes them.

#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agents/base/clock.hpp"
#include "operator/kube/api.hpp"

namespace datasync::reconcile {

using kube::Json;
using kube::ObjectKey;

/// Thread-safe.
class OrphanFinder {
 public:
  struct Options {
    std::vector<std::string> namespaces;  ///< empty: all
    std::vector<kube::Resource> kinds;
    base::Millis again{30'000};  ///< between tries while the server does not answer
  };
  /// `found` gets the key of each resource that has such objects, from a thread of its own; it must be quick.
  OrphanFinder(kube::Api& api, Options options, std::function<void(const ObjectKey&)> found);

  void start();
  void stop();  ///< waits for the thread
  /// What the thread does; for tests, which call it without `start`.
  void run(std::stop_token stop);

  [[nodiscard]] std::vector<Json> of(const ObjectKey& owner) const;
  /// The object is gone.
  void erased(const ObjectKey& owner, const std::string& uid);
  void forget(const ObjectKey& owner);

 private:
  /// False when it has to be tried again.
  bool look(const kube::Resource& kind, const std::string& ns);

  kube::Api& api_;
  Options options_;
  std::function<void(const ObjectKey&)> found_;
  mutable std::mutex mutex_;
  std::map<ObjectKey, std::vector<Json>> objects_;
  std::jthread thread_;  ///< last: it ends before what it uses
};

}  // namespace datasync::reconcile
