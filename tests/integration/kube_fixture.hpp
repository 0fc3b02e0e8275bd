#pragma once
// What the tests of operator/kube share: a real API server for the whole program, a namespace for each test.

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "operator/kube/client.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::kube {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ApiServer;
using test::write_file;

inline const Resource kNamespaces{"", "v1", "namespaces", "Namespace"};
inline const Resource kClusterRoles{"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole"};

inline Json config_map(const std::string& name, const Json& data) {
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", data}};
}

inline std::string version_of(const Json& object) {
  return object.at("metadata").at("resourceVersion").get<std::string>();
}

class KubeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<test::TempDir>();
    server_ = std::make_unique<ApiServer>(dir_->path());
  }
  static void TearDownTestSuite() {
    server_.reset();
    dir_.reset();
  }

  void SetUp() override {
    ns_ = fmt::format("t{}", ++number_);
    server_->make_namespace(ns_);
    options_.kubeconfig = server_->kubeconfig().string();
    options_.qps = 0;
    // A call ends with its answer or its last try: only tests about deadlines depend on the time.
    options_.call_deadline = std::chrono::hours(1);
    options_.on_call = [this](std::string_view verb, int code) {
      const std::lock_guard lock(mutex_);
      calls_.push_back(fmt::format("{} {}", verb, code));
    };
    api_ = open();
  }

  std::unique_ptr<Api> open() {
    auto api = connect(options_);
    if (!api) throw std::runtime_error(api.error().what);
    return std::move(*api);
  }
  [[nodiscard]] ObjectKey key(const std::string& name) const { return {ns_, name}; }
  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  /// A kubeconfig for the server with this user, as YAML.
  std::filesystem::path kubeconfig_with(const std::string& user, const std::string& authority = "") {
    const auto file = dir_->path() / fmt::format("{}.yaml", ns_);
    write_file(file,
               fmt::format(R"(
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: c, user: u, namespace: {}}}}}]
clusters: [{{name: c, cluster: {{server: "{}/", certificate-authority: "{}"}}}}]
users:
- name: u
  user: {}
)",
                           ns_, server_->url(), authority.empty() ? server_->authority().string() : authority, user));
    return file;
  }

  static inline std::unique_ptr<test::TempDir> dir_;
  static inline std::unique_ptr<ApiServer> server_;
  static inline int number_ = 0;
  std::string ns_;
  ConnectOptions options_;
  std::unique_ptr<Api> api_;
  std::mutex mutex_;
  std::vector<std::string> calls_;
};

}  // namespace datasync::kube
