#pragma once
// A real API server, the operator as a process, and what both come to. No kubelet, no controllers: tests make pods
// themselves, and nothing collects garbage.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "operator/kube/client.hpp"
#include "tests/support/api_proxy.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {

using Json = nlohmann::json;
using kube::ObjectKey;

class OperatorEnvironment {
 public:
  OperatorEnvironment();

  /// Starts the operator over `kubeconfig` for the namespace "w", without leader election. Its log stands in `log()`.
  Process start(const std::filesystem::path& kubeconfig, std::vector<std::string> more = {});
  [[nodiscard]] std::string log() const;

  /// The resource "shop" of the samples' kind with a merge patch over it.
  static Json resource(const char* change = "{}", const std::string& name = "shop");
  /// As a user would apply it; false with the server's words when it is refused.
  std::string apply(const Json& object);
  void merge(const kube::Resource& kind, const std::string& name, const Json& patch, const char* subresource = "");
  void remove(const kube::Resource& kind, const std::string& name);
  [[nodiscard]] Json get(const kube::Resource& kind, const std::string& name) const;  ///< null: none
  [[nodiscard]] std::vector<Json> list(const kube::Resource& kind) const;

  /// Status of "Ready", "Stalled"... as "True Streaming"; empty: none.
  [[nodiscard]] std::string condition(const char* type, const std::string& name = "shop") const;
  [[nodiscard]] std::string message(const char* type, const std::string& name = "shop") const;
  /// Reasons of the events about the resource.
  [[nodiscard]] std::vector<std::string> events(const std::string& name = "shop") const;
  /// One with this reason about "shop" comes within 20 seconds.
  [[nodiscard]] bool has_event(const std::string& reason) const;

  /// Waits until the condition is this one, and reports what it is when it does not become so.
  bool becomes(const char* type, const std::string& wanted, std::chrono::seconds limit,
               const std::string& name = "shop") const;

  /// Every child there is, without what differs between two runs (uids, versions, times): "Kind name" -> object.
  [[nodiscard]] Json objects() const;
  /// The operator has seen the resource's present spec, or the resource is gone.
  [[nodiscard]] bool observed(const std::string& name = "shop") const;
  /// The pod "shop-AGENT-x" as a kubelet would show it, running and ready, with its agent at this port of 127.0.0.1.
  /// `ours`: false for a pod that has the labels, and neither an owner nor the configuration of the agent.
  void make_pod(const std::string& agent, int port, const std::string& name = "shop", bool ours = true);
  /// The container of a pod in this state, as a kubelet would show it.
  void show_container(const std::string& pod, const char* state);
  /// Ends the job "shop-cleanup" as its controller would: "Complete" or "Failed". False when there is none.
  bool end_job(const char* how);
  /// The quota "none" says of itself that nothing of this resource may be made; there is no controller to count.
  void forbid_by_quota(const std::string& ns, const std::string& resource);
  /// Deletes everything in the namespace.
  void clear();

  kube::Api& api() { return *api_; }
  ApiServer& server() { return *server_; }
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_.path(); }

  static constexpr const char* kNs = "w";

 private:
  TempDir dir_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<kube::Api> api_;
};

}  // namespace datasync::test
