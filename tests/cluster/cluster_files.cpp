#include "tests/cluster/cluster_files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/support/certificates.hpp"
#include "tests/support/kube_parts.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;

/// RBAC takes the common name for the user, and the organisation for the group.
void write_credentials(const fs::path& folder, const std::string& name, const ClusterAddresses& at) {
  const auto pki = folder / "pki";
  const CertificateAuthority authority(pki, "kubernetes-ca");
  make_signing_keys(pki);
  authority.issue("apiserver", {"DNS:kubernetes.default.svc", "DNS:kubernetes.default", "DNS:kubernetes",
                                "IP:" + at.node, "IP:" + at.api_service});
  const auto user = [&](const std::string& user_name, const std::string& subject,
                        const std::vector<std::string>& names = {}) {
    const auto certificate = authority.issue(user_name, names, {.validity = Validity::Valid, .subject = subject});
    write_file(folder / (user_name + ".kubeconfig"),
               kubeconfig_text(name, "https://" + at.node + ":6443", authority.certificate(), user_name, certificate));
  };
  user("admin", "/O=system:masters/CN=admin");
  user("controller-manager", "/CN=system:kube-controller-manager");
  user("scheduler", "/CN=system:kube-scheduler");
  user("proxy", "/CN=system:kube-proxy");
  user("kubelet", "/O=system:nodes/CN=system:node:" + name, {"IP:" + at.node});
}

std::string containerd_config(const fs::path& folder) {
  // Not every kernel that tests run on has AppArmor or lets oom_score_adj be lowered.
  return fmt::format(R"(version = 2
root = "{0}/containerd/root"
state = "{0}/containerd/state"
[grpc]
  address = "{0}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{0}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{1}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{0}/cni"
)",
                     folder.string(), kPauseImage);
}

std::string cni_config(const fs::path& folder, const ClusterAddresses& at) {
  const nlohmann::json ranges{{{{"subnet", at.pods}}}};
  return nlohmann::json{{"cniVersion", "0.4.0"},
                        {"name", "pods"},
                        {"plugins",
                         {{{"type", "bridge"},
                           {"bridge", "pods0"},
                           {"isGateway", true},
                           {"ipMasq", false},
                           {"hairpinMode", true},
                           {"ipam",
                            {{"type", "host-local"},
                             {"dataDir", (folder / "ipam").string()},
                             {"ranges", ranges},
                             {"routes", {{{"dst", "0.0.0.0/0"}}}}}}},
                          {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}}}}}
      .dump(2);
}

std::string kubelet_config(const fs::path& folder, const ClusterAddresses& at, const std::string& cgroup) {
  const auto file = [&](const char* name) { return (folder / name).string(); };
  return nlohmann::json{{"apiVersion", "kubelet.config.k8s.io/v1beta1"},
                        {"kind", "KubeletConfiguration"},
                        {"authentication",
                         {{"anonymous", {{"enabled", false}}},
                          {"webhook", {{"enabled", true}}},
                          {"x509", {{"clientCAFile", file("pki/ca.crt")}}}}},
                        {"authorization", {{"mode", "Webhook"}}},
                        {"clusterDomain", "cluster.local"},
                        {"clusterDNS", {at.node}},
                        {"cgroupDriver", "cgroupfs"},
                        {"cgroupRoot", cgroup},
                        {"failSwapOn", false},
                        {"failCgroupV1", false},
                        // A full disk of this machine is not the cluster's: no eviction, and no image is thrown away
                        // (100 is off), for none could be pulled again.
                        {"evictionHard", nlohmann::json::object()},
                        {"imageGCHighThresholdPercent", 100},
                        {"containerRuntimeEndpoint", "unix://" + file("containerd.sock")},
                        {"tlsCertFile", file("pki/kubelet.crt")},
                        {"tlsPrivateKeyFile", file("pki/kubelet.key")},
                        {"resolvConf", file("resolv.conf")},
                        {"podLogsDir", file("pod-logs")},
                        // Secrets reach a pod within seconds, not a minute and a half.
                        {"syncFrequency", "5s"},
                        {"configMapAndSecretChangeDetectionStrategy", "Watch"}}
      .dump(2);
}

constexpr const char* kAuditPolicy = R"(apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:datasync-system"]
- level: None
)";

}  // namespace

ClusterAddresses::ClusterAddresses(int number)
    : node(fmt::format("172.31.{}.2", number)),
      gateway(fmt::format("172.31.{}.1", number)),
      pods(fmt::format("10.{}.0.0/24", 200 + number)),
      services(fmt::format("10.{}.0.0/16", 100 + number)),
      api_service(fmt::format("10.{}.0.1", 100 + number)) {}

void write_cluster_files(const fs::path& folder, const std::string& name, const ClusterAddresses& at,
                         const std::string& cgroup) {
  fs::create_directories(folder / "cni");
  write_credentials(folder, name, at);
  write_file(folder / "containerd.toml", containerd_config(folder));
  write_file(folder / "cni" / "10-bridge.conflist", cni_config(folder, at));
  write_file(folder / "kubelet.yaml", kubelet_config(folder, at, cgroup));
  write_file(folder / "resolv.conf", "nameserver " + at.node + "\n");
  write_file(folder / "audit.yaml", kAuditPolicy);
  write_file(folder / "Corefile",
             fmt::format(".:53 {{\n  bind {}\n  kubernetes cluster.local in-addr.arpa {{\n    kubeconfig "
                         "{}/admin.kubeconfig\n  }}\n  cache 5\n}}\n",
                         at.node, folder.string()));
}

}  // namespace datasync::test
