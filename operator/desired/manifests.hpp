#pragma once
// The objects a resource wants to have in the cluster. Pure: the same resource and settings give the same bytes, every
// field that a server would default and that matters is set, and nothing depends on time or on what is there.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/resource.hpp"
#include "operator/desired/names.hpp"

namespace datasync::desired {

/// A pod of an agent that is not ending.
struct AgentPod {
  std::string template_hash;
  bool begun = false;  ///< the agent runs in it, or has run
  bool stuck = false;  ///< it will not run by itself
};

/// What the pods that run ask of the objects that are wanted.
struct Running {
  /// Keys of the ConfigMap, with their text, that pods of templates from before still mount.
  std::map<std::string, std::string> config;
  std::map<std::string, std::vector<AgentPod>> pods;  ///< by agent
  std::string completion;  ///< the record of a `mode: Once` that has completed: no agent runs again; empty: none has
};

/// All children in the order in which they are to be applied: ServiceAccount, ConfigMap, NetworkPolicy and PodMonitor
/// when the settings ask for them, Deployments. Each has apiVersion, kind, owner reference, labels and the hash of
/// itself. Precondition: the resource has no problems.
std::vector<Json> children(const Owner& owner, const api::DataSync& resource, const Settings& settings,
                           const Running& running = {});

/// The Job that deletes what a resource with `deletionPolicy: Delete` leaves outside of the cluster.
Json cleanup_job(const Owner& owner, const api::DataSync& resource, const Settings& settings);

/// What the pods of an agent of this resource have as kConfigHash.
std::string config_hash(const api::DataSync& resource, std::string_view agent);

/// "capture", "apply" or both.
std::vector<std::string_view> agents_of(const api::DataSync& resource);

/// A secret that an agent reads, and the keys of it.
struct SecretKeys {
  std::string secret;
  std::vector<std::string> keys;
  bool operator==(const SecretKeys&) const = default;
};
/// Every secret of the resource, by name.
std::vector<SecretKeys> secrets_of(const api::DataSync& resource);

// Where things are in an agent's pod.
inline constexpr std::string_view kConfigDir = "/etc/datasync/config";
inline constexpr std::string_view kSecretsDir = "/etc/datasync/secrets";
inline constexpr std::uint16_t kPort = 8080;

}  // namespace datasync::desired
