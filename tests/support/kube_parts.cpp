#include "tests/support/kube_parts.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {
namespace {

/// The file's content in base64, as a kubeconfig holds it.
std::string data(const std::filesystem::path& file) {
  auto text = run({"base64", "-w0", file.string()});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

const char* const kPodMonitors =
    R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
  "metadata":{"name":"podmonitors.monitoring.coreos.com"},"spec":{"group":"monitoring.coreos.com","scope":"Namespaced",
    "names":{"plural":"podmonitors","singular":"podmonitor","kind":"PodMonitor","listKind":"PodMonitorList"},
    "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
      "x-kubernetes-preserve-unknown-fields":true}}}]}})";

std::string kubeconfig_text(const std::string& cluster, const std::string& url, const std::filesystem::path& authority,
                            const std::string& user, const Certificate& certificate) {
  return nlohmann::json{
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"clusters",
       {{{"name", cluster}, {"cluster", {{"server", url}, {"certificate-authority-data", data(authority)}}}}}},
      {"users",
       {{{"name", user},
         {"user",
          {{"client-certificate-data", data(certificate.certificate)}, {"client-key-data", data(certificate.key)}}}}}},
      {"contexts", {{{"name", cluster}, {"context", {{"cluster", cluster}, {"user", user}}}}}},
      {"current-context", cluster}}
      .dump(2);
}

void make_signing_keys(const std::filesystem::path& folder) {
  const auto key = (folder / "sa.key").string();
  run({"openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key});
  run({"openssl", "ec", "-in", key, "-pubout", "-out", (folder / "sa.pub").string()});
}

std::vector<std::string> etcd_command(const std::string& client_url, const std::string& peer_url,
                                      const std::filesystem::path& data) {
  return {kube_tool("etcd").string(),
          "--data-dir",
          data.string(),
          "--listen-client-urls",
          client_url,
          "--advertise-client-urls",
          client_url,
          "--listen-peer-urls",
          peer_url,
          "--initial-advertise-peer-urls",
          peer_url,
          "--initial-cluster",
          "default=" + peer_url,
          "--unsafe-no-fsync",
          "--log-level",
          "warn"};
}

}  // namespace datasync::test
