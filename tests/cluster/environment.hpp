#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cluster/cluster.hpp"
#include "tests/cluster/kubectl.hpp"
#include "tests/cluster/servers.hpp"

namespace datasync::test {

/// One of the two clusters: ours, or one that was given.
struct Side {
  std::string name;  ///< "a", "b"
  Kubectl kubectl;
  std::unique_ptr<Cluster> own;  ///< null when it was given: then its node and API server are not ours to stop
  std::map<std::string, std::string> resources;  ///< DataSyncs in it: name, manifest
  std::vector<std::string> values;               ///< of the chart, beside images: "agents.networkPolicy=true"

  [[nodiscard]] nlohmann::json resource(const std::string& name) const;
  /// The running pods of an agent, newest first.
  [[nodiscard]] std::vector<nlohmann::json> pods(const std::string& resource_name, const std::string& agent) const;
  /// The operator's pods.
  [[nodiscard]] std::vector<nlohmann::json> operators() const;
};

/// References of images that both clusters know.
struct Images {
  std::string repository;       ///< "localhost/datasync": /operator and /agents below it
  std::string tag, second_tag;  ///< the same content under two names, so that an upgrade has somewhere to go
  std::vector<std::filesystem::path> archives;  ///< given to nodes that are ours; may be empty for given clusters
};

/// The environment: two clusters, what runs beside them, an operator and DataSyncs in each. Everything is done as a
/// user does it: kubectl, helm. Throws std::runtime_error with the words of what failed. One thread at a time.
class Environment {
 public:
  /// Brings up clusters (or takes $KUBECONFIG_A and $KUBECONFIG_B) and servers. `sandbox`: null with given clusters;
  /// what is made in those, `clean_given_clusters` of the same folder takes away.
  Environment(const Sandbox* sandbox, const std::filesystem::path& folder, Images images);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] Side& a() { return sides_.at(0); }
  [[nodiscard]] Side& b() { return sides_.at(1); }
  [[nodiscard]] std::vector<Side>& sides() { return sides_; }
  [[nodiscard]] Servers& servers() { return *servers_; }
  [[nodiscard]] const Images& images() const { return images_; }

  /// helm upgrade --install with the side's values and these besides, and waits for the rollout.
  void install(Side& side, const std::string& tag, const std::vector<std::string>& values = {});
  /// Namespace, secrets, and services that lead to the servers.
  void prepare(Side& side);
  /// Applies a resource and remembers it.
  void apply(Side& side, const std::string& name, const std::string& manifest);

  /// Every DataSync is Ready for its present generation, and rows that are committed from now on arrive everywhere.
  /// Returns the seconds that took; throws with what is not well after `limit`.
  double wait_until_healthy(std::chrono::seconds limit);
  /// What is not well, in lines for users; empty when every DataSync is Ready.
  [[nodiscard]] std::string not_ready() const;
  /// Conditions, pods, events and logs of both sides, for whoever looks for the cause.
  [[nodiscard]] std::string report() const;

 private:
  Images images_;
  std::vector<Side> sides_;
  std::unique_ptr<Servers> servers_;
};

/// Takes away what an environment has made in given clusters, however its process ended. Touches no cluster that the
/// environment has refused. Prints what does not work.
void clean_given_clusters(const std::filesystem::path& folder);

}  // namespace datasync::test
