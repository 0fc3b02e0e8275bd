#pragma once
// Where an API server is and how to be let in: what a kubeconfig or a pod's service account says.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/base/secret.hpp"

namespace datasync::kube {

/// PEM text that stands in the configuration or in a file; a file is read whenever it is needed, as it rotates.
struct Pem {
  std::filesystem::path file;
  base::Secret data;
  [[nodiscard]] bool empty() const noexcept { return file.empty() && data.empty(); }
  /// Errors: SecretNotFound naming the file.
  [[nodiscard]] base::Result<base::Secret> read() const;
  bool operator==(const Pem&) const = default;
};

/// A program that prints credentials (client.authentication.k8s.io ExecCredential).
struct ExecPlugin {
  std::string api_version;
  std::string command;
  std::vector<std::string> args;
  std::map<std::string, std::string> env;  ///< added to this process's
  std::string install_hint;
  bool interactive = false;           ///< may read standard input
  bool provide_cluster_info = false;  ///< wants to know the server's address
  bool operator==(const ExecPlugin&) const = default;
};

struct Access {
  std::string server;  ///< http(s)://host[:port][/path], no slash at the end
  Pem authority;       ///< empty: the system's
  bool skip_verify = false;
  Pem certificate;
  Pem key;
  base::Secret token;
  std::filesystem::path token_file;  ///< wins over token
  std::optional<ExecPlugin> exec;
  std::string ns = "default";
};

/// Reads a kubeconfig, YAML or JSON. `folder` is where it lies: relative files and commands in it are meant from there.
/// An empty `context` is the current one.
/// Errors: ConfigInvalid naming what is missing, wrong, or not supported (tls-server-name, proxy-url, password, auth
/// providers), never the content of a secret.
base::Result<Access> parse_kubeconfig(std::string_view text, const std::filesystem::path& folder,
                                      std::string_view context);

inline const std::filesystem::path kPodSecrets = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A pod's access by its service account: KUBERNETES_SERVICE_HOST and _PORT and the files of `folder`.
/// Errors: ConfigInvalid when this is no pod.
base::Result<Access> pod_access(const std::filesystem::path& folder = kPodSecrets);

struct ConnectOptions;
/// As ConnectOptions says: kubeconfig, pod, server's address.
base::Result<Access> find_access(const ConnectOptions& options);

}  // namespace datasync::kube
