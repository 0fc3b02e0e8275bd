#pragma once
// The seam to a Kubernetes API server: what the operator and the plugin may ask of it. No <cpprest/...> here; objects
// are plain JSON, as the server gave them, so that nothing of them is lost (API conventions: unknown fields are kept).

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace datasync::kube {

using Json = nlohmann::json;

/// A kind of objects, as the API paths name it.
struct Resource {
  std::string group;  ///< empty: the core group
  std::string version;
  std::string plural;
  std::string kind;
  auto operator<=>(const Resource&) const = default;
};

/// One object of a kind.
struct ObjectKey {
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
  [[nodiscard]] std::string text() const { return ns + "/" + name; }
};

/// Why a call failed. Callers branch on this, never on a text.
enum class Code : std::uint8_t {
  NotFound,
  Conflict,       ///< 409: the object changed, or another owner has the field
  AlreadyExists,  ///< 409 with that reason
  Gone,           ///< 410, as status or as an ERROR event: list again
  Unauthorized,
  Forbidden,
  Invalid,          ///< 400, 413, 415, 422, and refusals by admission, quota or a schema that a retry does not change
  TooManyRequests,  ///< 429, see retry_after
  ServerError,      ///< 5xx
  Timeout,          ///< our own deadline; of a write: outcome unknown
  Transport,        ///< no or a broken connection; of a write: outcome unknown
  Malformed,        ///< an answer that is not what the API promises
  Stopped,
};
std::string_view to_string(Code code) noexcept;

struct ApiError {
  Code code = Code::Transport;
  int http = 0;                              ///< 0: no answer
  std::string message;                       ///< what was being done, and the server's words
  std::chrono::milliseconds retry_after{0};  ///< as the server asked, five minutes at most; 0: it did not

  [[nodiscard]] bool is(Code c) const noexcept { return code == c; }
};

template <class T>
using ApiResult = tl::expected<T, ApiError>;

/// What a list or a watch is limited to.
struct Selector {
  std::string ns;      ///< empty: all namespaces
  std::string labels;  ///< as in labelSelector
  std::string fields;  ///< as in fieldSelector
};

struct List {
  std::vector<Json> items;       ///< each with apiVersion and kind
  std::string resource_version;  ///< where a watch goes on
};

enum class EventType : std::uint8_t { Added, Modified, Deleted, Bookmark };
struct WatchEvent {
  EventType type = EventType::Added;
  Json object;
};

/// What must be so on the server for a write to happen.
struct Preconditions {
  std::string uid;
  std::string resource_version;
};

/// As metadata.resourceVersion of what is applied: the server makes the object, or answers Conflict when there is one.
/// No object has this version: it is that of an etcd without any. (k8s.io/apiserver, registry Store.Update: a version
/// that is named is compared with that of an object that is there, and not asked for when there is none.)
inline constexpr std::string_view kNewOnly = "1";

/// The calls. Every call has its own deadline; transient failures of reads are tried again within it, writes are not:
/// the caller is level-triggered and comes again.
/// Threads: safe to call from several at once; every call blocks its caller only.
class Api {
 public:
  virtual ~Api() = default;

  virtual ApiResult<Json> get(const Resource& kind, const ObjectKey& key) = 0;
  /// All pages as one list.
  virtual ApiResult<List> list(const Resource& kind, const Selector& selector) = 0;
  /// The same with `trim` run over each object as soon as its page is there, so that what a cache does not need takes
  /// no memory.
  virtual ApiResult<List> list_trimmed(const Resource& kind, const Selector& selector,
                                       const std::function<void(Json&)>& trim);
  /// Streams events from `from` until `stop`, an orderly end by the server (both are success), or an error: Gone,
  /// Timeout (idle for too long), Transport... `on_event` runs on the caller's thread.
  virtual ApiResult<void> watch(const Resource& kind, const Selector& selector, const std::string& from,
                                std::stop_token stop, const std::function<void(const WatchEvent&)>& on_event) = 0;
  virtual ApiResult<Json> create(const Resource& kind, const std::string& ns, const Json& object) = 0;
  /// Server-side apply as this client's field manager, with force: fields this manager no longer names are removed.
  /// `subresource` is empty or "status".
  virtual ApiResult<Json> apply(const Resource& kind, const ObjectKey& key, const Json& object,
                                std::string_view subresource = {}) = 0;
  /// JSON merge patch (RFC 7386).
  virtual ApiResult<Json> merge_patch(const Resource& kind, const ObjectKey& key, const Json& patch,
                                      std::string_view subresource = {}) = 0;
  /// JSON patch (RFC 6902): `operations` is a list of them.
  virtual ApiResult<Json> json_patch(const Resource& kind, const ObjectKey& key, const Json& operations) = 0;
  /// PUT of the whole object with its resourceVersion; leases are written this way.
  virtual ApiResult<Json> update(const Resource& kind, const ObjectKey& key, const Json& object) = 0;
  /// Background deletion. Success when the object is gone or was never there.
  virtual ApiResult<void> remove(const Resource& kind, const ObjectKey& key, const Preconditions& only_if = {}) = 0;
};

// Kinds that more than one layer names.
inline const Resource kDataSyncs{"datasync.dev", "v1alpha1", "datasyncs", "DataSync"};
inline const Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline const Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline const Resource kSecrets{"", "v1", "secrets", "Secret"};
inline const Resource kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline const Resource kPods{"", "v1", "pods", "Pod"};
inline const Resource kEvents{"events.k8s.io", "v1", "events", "Event"};
inline const Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline const Resource kNetworkPolicies{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"};
inline const Resource kPodMonitors{"monitoring.coreos.com", "v1", "podmonitors", "PodMonitor"};
inline const Resource kJobs{"batch", "v1", "jobs", "Job"};

}  // namespace datasync::kube
