#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

struct ApiServerOptions {
  std::vector<std::string> flags;  ///< added to those of kube-apiserver
};

/// A real kube-apiserver with an etcd of its own, on 127.0.0.1, with RBAC and admission, but no controllers: nothing
/// makes pods of Deployments, nothing collects garbage, no quota is counted. Killed by the destructor; data outlives
/// kill and start.
/// The programs come from tools/kube-tools, which makes them when they are not there.
class ApiServer {
 public:
  /// Starts it and waits until it is ready; about 4 s. The folder is made below `parent`.
  explicit ApiServer(const std::filesystem::path& parent, ApiServerOptions options = {});

  [[nodiscard]] std::string url() const;  ///< https://127.0.0.1:PORT
  [[nodiscard]] std::uint16_t port() const noexcept { return port_.port(); }
  /// Of an administrator (system:masters) with a client certificate; the data stands in the file.
  [[nodiscard]] std::filesystem::path kubeconfig() const { return folder_ / "admin.kubeconfig"; }
  /// Of a user called `name` with a client certificate and only the rights that RBAC gives it.
  std::filesystem::path kubeconfig_of(const std::string& name);
  [[nodiscard]] std::filesystem::path authority() const { return ca_.certificate(); }
  [[nodiscard]] std::filesystem::path admin_certificate() const { return folder_ / "admin.crt"; }
  [[nodiscard]] std::filesystem::path admin_key() const { return folder_ / "admin.key"; }
  /// A token of a service account (made when it is not there), as a pod would have it.
  std::string service_account_token(const std::string& ns, const std::string& name);

  /// kubectl with these arguments as administrator; throws with its words when it fails.
  std::string kubectl(std::vector<std::string> args, const std::string& input = "") const;
  /// kubectl apply of YAML or JSON text, server-side.
  void apply(const std::string& text) const;
  /// Applies a CustomResourceDefinition and waits until its kind can be used.
  void define(const std::string& text, const std::string& name) const;
  void make_namespace(const std::string& name) const;
  /// Forgets all but the present: who watches or lists from an earlier resourceVersion gets 410.
  void compact() const;

  void start();  ///< no effect on one that runs; waits until it is ready
  void kill();   ///< kube-apiserver alone
  void restart() {
    kill();
    start();
  }
  void freeze() { server_.freeze(); }
  void thaw() { server_.thaw(); }

  [[nodiscard]] std::string log_tail() const;
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path write_kubeconfig(const std::string& name);

  ApiServerOptions options_;
  PortLease port_, etcd_port_, etcd_peer_port_;
  std::filesystem::path folder_;
  CertificateAuthority ca_;  ///< its files lie in the folder itself
  Process etcd_, server_;
};

/// A program that tools/kube-tools makes: kubectl, helm, ...
std::filesystem::path kube_tool(const std::string& name);

}  // namespace datasync::test
