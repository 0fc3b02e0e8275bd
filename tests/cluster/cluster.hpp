#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/cluster/cluster_files.hpp"
#include "tests/cluster/kubectl.hpp"
#include "tests/cluster/sandbox.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

/// A real Kubernetes cluster of one node: etcd, kube-apiserver, controllers, scheduler, containerd, kubelet,
/// kube-proxy and CoreDNS, in a network namespace of its own. To be made inside a sandbox, which ends its pods with it.
/// Programs can be killed, stopped and started one by one. Throws std::runtime_error with the log of what failed. One
/// thread at a time.
class Cluster {
 public:
  /// Brings it up; returns when the node is ready and has a default service account, 6 to 12 s. Number 1 to 9, another
  /// for each.
  Cluster(const Sandbox& sandbox, int number, std::string name);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster() = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }  ///< also the node's
  [[nodiscard]] const Kubectl& kubectl() const noexcept { return kubectl_; }
  [[nodiscard]] const ClusterAddresses& addresses() const noexcept { return addresses_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Gives images (archives of OCI or Docker) to the node.
  void load(const std::filesystem::path& archive) const;
  /// Another name for an image that is loaded.
  void tag(const std::string& image, const std::string& name) const;

  void stop_api_server() { kill("apiserver"); }
  void start_api_server();
  void stop_kubelet() { kill("kubelet"); }
  void start_kubelet();
  /// kube-controller-manager: no pods for Deployments, no garbage collection.
  void stop_controllers() { kill("controllers"); }
  void start_controllers();
  /// Waits for readiness; throws after a minute and a half.
  void wait_ready() const;

  /// Process ids, in this sandbox, of all containers of a pod, also when the API has forgotten it.
  [[nodiscard]] std::vector<pid_t> processes(const std::string& pod_uid) const;
  /// What the API server noted of service accounts of the namespace datasync-system, a JSON object each line.
  [[nodiscard]] std::filesystem::path audit_log() const { return folder_ / "audit.log"; }

 private:
  void connect() const;
  void start(const std::string& name, std::vector<std::string> args);
  void kill(const std::string& name);
  void start_etcd();
  void start_scheduler();
  void start_node();
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  std::string ctr(std::vector<std::string> args) const;
  void require(bool done, const std::string& what, const std::string& log) const;

  std::string name_;
  ClusterAddresses addresses_;
  std::filesystem::path folder_;
  std::string cgroup_;
  Kubectl kubectl_;
  std::map<std::string, Process> processes_;
};

}  // namespace datasync::test
