#pragma once
// The names by which the operator's objects know each other. They are stable: people select by them, and a Deployment's
// selector cannot change.

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace datasync::desired {

using Json = nlohmann::json;

inline constexpr std::string_view kManagedBy = "datasync-operator";  ///< of app.kubernetes.io/managed-by
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kNameLabel = "datasync.dev/name";    ///< the resource
inline constexpr std::string_view kAgentLabel = "datasync.dev/agent";  ///< capture, apply, cleanup
/// Hash of everything the operator wants of an object: equal means that nothing has to be written.
inline constexpr std::string_view kSpecHash = "datasync.dev/spec-hash";
/// Hash of the configuration an agent's pod runs with.
inline constexpr std::string_view kConfigHash = "datasync.dev/config-hash";
/// Hash of the whole pod template: tells pods of an old revision.
inline constexpr std::string_view kTemplateHash = "datasync.dev/template-hash";

/// On the Deployments of a `mode: Once` that has completed: the record of it, as in status.completion.
inline constexpr std::string_view kCompletion = "datasync.dev/completion";

inline constexpr std::string_view kCapture = "capture";
inline constexpr std::string_view kApply = "apply";
inline constexpr std::string_view kCleanup = "cleanup";
inline constexpr std::string_view kContainer = "agent";  ///< what a podTemplate names to change our container

/// The resource that owns the children.
struct Owner {
  std::string ns;
  std::string name;
  std::string uid;
};

inline std::string child_name(const Owner& owner, std::string_view suffix) {
  return owner.name + "-" + std::string(suffix);
}

/// What the installation says about every child.
struct Settings {
  std::string installation = "datasync";
  std::string image;
  std::string pull_policy = "IfNotPresent";
  bool network_policy = false;
  bool pod_monitor = false;
  std::map<std::string, std::string> pod_monitor_labels;  ///< beside our own, for a Prometheus that selects by label
  std::chrono::seconds cleanup_limit{600};  ///< from a resource's deletion; then it goes without its cleanup
};

}  // namespace datasync::desired
