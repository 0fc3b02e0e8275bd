#pragma once
// How to get an Api: in a pod by its service account, elsewhere by a kubeconfig.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "operator/kube/api.hpp"

namespace datasync::kube {

struct ConnectOptions {
  /// Empty: $KUBECONFIG (the first file of it that exists), ~/.kube/config, then the pod's service account; as kubectl
  /// does.
  std::string kubeconfig;
  std::string context;  ///< empty: the kubeconfig's current one
  bool in_pod = false;  ///< only the service account counts: what the operator uses in a cluster
  /// Overrides the server's address, e.g. a proxy at http://127.0.0.1:PORT. Credentials go there too.
  std::string server;

  std::string field_manager = "datasync";  ///< who writes, in managedFields; one per installation
  std::string user_agent = "datasync";

  double qps = 20;      ///< calls a second, the beginnings of watches too; 0: no limit
  unsigned burst = 40;  ///< calls at once after a pause
  unsigned page = 500;  ///< objects in one page of a list

  std::chrono::milliseconds call_deadline{15'000};  ///< of one call with its retries, waiting for the rate limit apart
  std::chrono::milliseconds watch_length{300'000};  ///< what the server is asked for at most; half of it at least
  std::chrono::milliseconds watch_idle{100'000};    ///< a watch silent for longer (no bookmark either) is given up
  std::size_t max_body = 64U << 20;                 ///< of one answer
  std::size_t max_event = 8U << 20;                 ///< of one watch event

  /// After every call that was sent: get, list, watch, create, apply, patch, update, delete and the HTTP code; 0: no
  /// answer. Called on the caller's thread.
  std::function<void(std::string_view verb, int code)> on_call;
  /// Asked right before every write; false: the write is not sent and fails with Stopped. A leader that may have lost
  /// its lease while it stood still is kept from writing by this.
  std::function<bool()> may_write;
};

/// An Api for the given place. Nothing is sent yet.
/// Errors: ConfigInvalid naming the file and what is wrong in it; SecretNotFound when a file it names is missing.
base::Result<std::unique_ptr<Api>> connect(const ConnectOptions& options);

/// The namespace that a command without one means: the context's, the pod's, or "default".
base::Result<std::string> default_namespace(const ConnectOptions& options);

/// While it lives, calls of this thread end with Stopped soon after `stop` is requested: how a caller bounds a whole
/// row of calls. The innermost counts.
class CallScope {
 public:
  explicit CallScope(std::stop_token stop);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  /// Of this thread; one that is never requested when there is no scope.
  static std::stop_token current();

 private:
  std::stop_token before_;
};

}  // namespace datasync::kube
