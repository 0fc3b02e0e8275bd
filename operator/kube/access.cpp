#include "operator/kube/access.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "operator/kube/client.hpp"

namespace datasync::kube {
namespace {

using base::Error;
using base::Reason;
using base::Result;
namespace fs = std::filesystem;

std::string env(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets the environment
  return value != nullptr ? value : "";
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return !file.empty() && fs::exists(file, ignored);
}

Result<Access> read_kubeconfig(const fs::path& file, const std::string& context) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(Reason::ConfigInvalid, fmt::format("{}: the kubeconfig cannot be read", file.string()));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto access = parse_kubeconfig(text, fs::absolute(file).parent_path(), context);
  if (!access) return std::move(access).error().context(file.string());
  return access;
}

/// The first kubeconfig that exists of those kubectl looks for; empty: none.
fs::path usual_kubeconfig() {
  std::istringstream listed(env("KUBECONFIG"));
  for (std::string file; std::getline(listed, file, ':');) {
    if (is_there(file)) return file;
  }
  if (const auto home = env("HOME"); !home.empty()) {
    if (const auto file = fs::path(home) / ".kube" / "config"; is_there(file)) return file;
  }
  return {};
}

}  // namespace

Result<base::Secret> Pem::read() const {
  if (file.empty()) return data;
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(Reason::SecretNotFound, fmt::format("{}: cannot be read", file.string()));
  return base::Secret({std::istreambuf_iterator<char>(in), {}});
}

Result<Access> pod_access(const fs::path& folder) {
  const auto host = env("KUBERNETES_SERVICE_HOST");
  auto port = env("KUBERNETES_SERVICE_PORT");
  if (host.empty() || !is_there(folder / "token")) {
    return Error(Reason::ConfigInvalid,
                 "this is not a pod with a service account: KUBERNETES_SERVICE_HOST or its token is missing");
  }
  if (port.empty()) port = "443";
  Access access;
  const bool v6 = host.find(':') != std::string::npos;
  access.server = v6 ? fmt::format("https://[{}]:{}", host, port) : fmt::format("https://{}:{}", host, port);
  access.authority.file = folder / "ca.crt";
  access.token_file = folder / "token";
  if (std::ifstream in(folder / "namespace"); in) in >> access.ns;
  return access;
}

Result<Access> find_access(const ConnectOptions& options) {
  const auto file = options.kubeconfig.empty() ? usual_kubeconfig() : fs::path(options.kubeconfig);
  auto access = [&]() -> Result<Access> {
    if (!options.in_pod && !file.empty()) return read_kubeconfig(file, options.context);
    auto pod = pod_access();
    if (!pod && !options.in_pod) {
      return Error(Reason::ConfigInvalid, "no kubeconfig: neither KUBECONFIG nor ~/.kube/config names one");
    }
    return pod;
  }();
  if (access && !options.server.empty()) access->server = options.server;
  return access;
}

}  // namespace datasync::kube
