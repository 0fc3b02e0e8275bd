#pragma once
// Between the files of this layer: the pods of the agents.

#include <string>
#include <string_view>
#include <vector>

#include "operator/api/resource.hpp"
#include "operator/desired/manifests.hpp"
#include "operator/desired/names.hpp"

namespace datasync::desired {

/// One agent's configuration file. The key in the ConfigMap holds the hash, so that a pod can never start with an older
/// ConfigMap that its node still remembers: that one lacks the key, and the mount waits.
struct AgentConfig {
  std::string text;
  std::string hash;
  std::string key;  ///< "capture-0123456789abcdef.json"
  std::vector<SecretKeys> secrets;
};
AgentConfig agent_config(const api::DataSync& resource, std::string_view agent);

/// Labels of every object of an agent (or of the whole resource when `agent` is empty).
Json labels(const Owner& owner, std::string_view agent);

/// The template of an agent's pods, with what the resource's podTemplate and resources say merged in.
Json agent_template(const Owner& owner, const api::DataSync& resource, const Settings& settings,
                    std::string_view agent);
/// The template of the cleanup Job's pod.
Json cleanup_template(const Owner& owner, const api::DataSync& resource, const Settings& settings);

}  // namespace datasync::desired
