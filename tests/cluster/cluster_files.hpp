#pragma once
// The files that the programs of a cluster read: certificates, kubeconfigs, configuration.

#include <filesystem>
#include <string>

namespace datasync::test {

/// Where the parts of cluster N (1 to 9) stand: a node in a network namespace of its own, and this side of its cable.
struct ClusterAddresses {
  explicit ClusterAddresses(int number);
  std::string node;         ///< of the node and its API server
  std::string gateway;      ///< this side of the cable: what pods reach beyond the cluster is here
  std::string pods;         ///< of all pods, with its length: "10.201.0.0/24"
  std::string services;     ///< of all services: "10.101.0.0/16"
  std::string api_service;  ///< of the service `kubernetes`
};

/// Writes all files below `folder`: pki/, KIND.kubeconfig, containerd.toml, cni/, kubelet.yaml, Corefile, audit.yaml.
/// `name` is the cluster's, its node's and its context's.
void write_cluster_files(const std::filesystem::path& folder, const std::string& name,
                         const ClusterAddresses& addresses, const std::string& cgroup);

/// The name under which the clusters know the image that holds a pod's namespaces.
inline constexpr const char* kPauseImage = "localhost/datasync-test/pause:1";

}  // namespace datasync::test
