#pragma once
// What the operator knows of the cluster: informers for the resources, their children and their pods.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/runtime/informer.hpp"

namespace datasync::reconcile {

using kube::Json;
using kube::ObjectKey;

/// Thread-safe after `start`.
class Cache {
 public:
  struct Options {
    std::vector<std::string> namespaces;  ///< empty: all
    std::vector<kube::Resource> children;
    base::Millis relist{1'800'000};
  };
  /// `changed` gets the key of the resource that a change concerns; it must be quick.
  Cache(kube::Api& api, const Options& options, std::function<void(const ObjectKey&)> changed);

  void start();
  void stop();
  /// False when stopped first. A kind that cannot be listed (no right, no such kind) is logged once and not waited
  /// for; one that does not answer, no longer than `limit`. Of the resources themselves those of one namespace at least
  /// are waited for, and whoever does not answer.
  bool wait_synced(std::stop_token stop, base::Millis limit) const;
  /// In how many of the watched namespaces the resources cannot be followed at present; of all namespaces: 1.
  [[nodiscard]] std::size_t unlisted() const;

  [[nodiscard]] std::optional<Json> resource(const ObjectKey& key) const;
  /// The resources that capture into this stream (decide::wanted_stream).
  [[nodiscard]] std::vector<Json> capturing(const std::string& stream) const;
  [[nodiscard]] std::vector<Json> children(const ObjectKey& owner) const;
  [[nodiscard]] std::vector<Json> pods(const ObjectKey& owner) const;
  /// Why `pods` of this namespace may be too few or too old; nothing when they are what the server last said.
  [[nodiscard]] std::optional<kube::ApiError> pods_unknown(const std::string& ns) const;
  /// The server has no such kind: its CustomResourceDefinition is not there.
  [[nodiscard]] bool lacks(const kube::Resource& kind) const;

 private:
  struct Kept {
    kube::Resource kind;
    std::string ns;
    std::unique_ptr<runtime::Informer> informer;
  };
  using Informers = std::vector<Kept>;
  void add(kube::Api& api, const Options& options, const kube::Resource& kind, const std::string& ns, Informers& to);
  void tell_owners(const Json& object, const Json* before) const;
  void tell_rivals(const Json& object, const Json* before) const;
  void tell_all() const;
  bool wait_resources(const std::stop_token& stop, base::Millis limit) const;
  static std::vector<Json> named(const Informers& of, const std::string& name);

  std::function<void(const ObjectKey&)> changed_;
  Informers resources_, children_, pods_;
};

}  // namespace datasync::reconcile
