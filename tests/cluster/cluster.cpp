#include "tests/cluster/cluster.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/pause_image.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/kube_parts.hpp"
#include "tests/support/tail.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
constexpr milliseconds kPatience{90'000};

}  // namespace

Cluster::Cluster(const Sandbox& sandbox, int number, std::string name)
    : name_(std::move(name)),
      addresses_(number),
      folder_(sandbox.folder / name_),
      cgroup_(sandbox.cgroup + "/" + name_),
      kubectl_(folder_ / "admin.kubeconfig", folder_) {
  fs::create_directories(folder_);
  make_cgroup(cgroup_);
  write_cluster_files(folder_, name_, addresses_, cgroup_);
  connect();
  start_etcd();
  start_api_server();
  start_controllers();
  start_scheduler();
  start_node();
  wait_ready();
}

/// A cable between this network and the node's.
void Cluster::connect() const {
  const auto ip = [](std::vector<std::string> args) {
    args.insert(args.begin(), "ip");
    run(args);
  };
  const auto cable = name_ + "-cable";
  ip({"netns", "add", name_});
  ip({"link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name_});
  ip({"addr", "add", addresses_.gateway + "/24", "dev", cable});
  ip({"link", "set", cable, "up"});
  ip({"route", "add", addresses_.pods, "via", addresses_.node});
  ip({"-n", name_, "link", "set", "lo", "up"});
  ip({"-n", name_, "addr", "add", addresses_.node + "/24", "dev", "eth0"});
  ip({"-n", name_, "link", "set", "eth0", "up"});
  ip({"-n", name_, "route", "add", "default", "via", addresses_.gateway});
  run({"nsenter", "--net=/run/netns/" + name_, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"});
}

void Cluster::start(const std::string& name, std::vector<std::string> args) {
  ProcessOptions options;
  options.args = {"nsenter", "--net=/run/netns/" + name_, "--"};
  options.args.insert(options.args.end(), std::make_move_iterator(args.begin()), std::make_move_iterator(args.end()));
  options.log = folder_ / (name + ".log");
  options.working_dir = folder_;
  processes_[name] = Process::start(options);
}

void Cluster::kill(const std::string& name) {
  processes_.at(name).kill();
}

void Cluster::require(bool done, const std::string& what, const std::string& log) const {
  if (!done)
    throw std::runtime_error(fmt::format("cluster {}: {}:\n{}", name_, what, tail_of(folder_ / (log + ".log"))));
}

void Cluster::start_etcd() {
  start("etcd", etcd_command(fmt::format("http://{}:2379", addresses_.node),
                             fmt::format("http://{}:2380", addresses_.node), folder_ / "etcd"));
}

void Cluster::start_api_server() {
  start("apiserver",
        {kube_tool("kube-apiserver").string(), fmt::format("--etcd-servers=http://{}:2379", addresses_.node),
         "--bind-address=" + addresses_.node, "--advertise-address=" + addresses_.node,
         "--service-cluster-ip-range=" + addresses_.services, "--cert-dir=" + file("pki"),
         "--client-ca-file=" + file("pki/ca.crt"), "--tls-cert-file=" + file("pki/apiserver.crt"),
         "--tls-private-key-file=" + file("pki/apiserver.key"), "--service-account-key-file=" + file("pki/sa.pub"),
         "--service-account-signing-key-file=" + file("pki/sa.key"),
         "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC",
         "--enable-admission-plugins=NodeRestriction", "--kubelet-client-certificate=" + file("pki/admin.crt"),
         "--kubelet-client-key=" + file("pki/admin.key"), "--kubelet-preferred-address-types=InternalIP",
         "--audit-policy-file=" + file("audit.yaml"), "--audit-log-path=" + file("audit.log")});
  require(eventually([this] { return processes_.at("apiserver").is_running() && kubectl_.answers(); }, kPatience),
          "the API server is not ready", "apiserver");
}

void Cluster::start_controllers() {
  start("controllers",
        {kube_tool("kube-controller-manager").string(), "--kubeconfig=" + file("controller-manager.kubeconfig"),
         "--bind-address=" + addresses_.node, "--leader-elect=false", "--use-service-account-credentials=true",
         "--service-account-private-key-file=" + file("pki/sa.key"), "--root-ca-file=" + file("pki/ca.crt"),
         "--cluster-signing-cert-file=" + file("pki/ca.crt"), "--cluster-signing-key-file=" + file("pki/ca.key")});
}

void Cluster::start_scheduler() {
  start("scheduler", {kube_tool("kube-scheduler").string(), "--kubeconfig=" + file("scheduler.kubeconfig"),
                      "--bind-address=" + addresses_.node, "--leader-elect=false"});
}

void Cluster::start_node() {
  // containerd finds its shim on the PATH.
  const auto tools = kube_tool("containerd").parent_path();
  start("containerd", {"env", fmt::format("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", tools.string()),
                       (tools / "containerd").string(), "--config", file("containerd.toml")});
  start("dns", {kube_tool("coredns").string(), "-conf", file("Corefile")});
  start("proxy", {kube_tool("kube-proxy").string(), "--kubeconfig=" + file("proxy.kubeconfig"), "--proxy-mode=iptables",
                  "--cluster-cidr=" + addresses_.pods, "--hostname-override=" + name_, "--conntrack-max-per-core=0",
                  "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s"});
  const auto answers = [this] {
    ctr({"version"});
    return true;
  };
  require(in_time(answers, kPatience), "containerd does not answer", "containerd");
  load(pause_image());
  start_kubelet();
}

void Cluster::start_kubelet() {
  start("kubelet",
        {kube_tool("kubelet").string(), "--config=" + file("kubelet.yaml"),
         "--kubeconfig=" + file("kubelet.kubeconfig"), "--hostname-override=" + name_, "--node-ip=" + addresses_.node,
         "--root-dir=" + file("kubelet"), "--cert-dir=" + file("kubelet-pki")});
}

void Cluster::wait_ready() const {
  const auto ready = [this] {
    const auto node = kubectl_.get({"node", name_});
    return is_ready(node) && !kubectl_.get({"-n", "default", "serviceaccount", "default"}).is_null();
  };
  require(in_time(ready, kPatience), "the node is not ready", "kubelet");
}

std::string Cluster::ctr(std::vector<std::string> args) const {
  args.insert(args.begin(), {(kube_tool("containerd").parent_path() / "ctr").string(), "--address",
                             file("containerd.sock"), "--namespace", "k8s.io"});
  return run(args);
}

void Cluster::load(const fs::path& archive) const {
  ctr({"images", "import", archive.string()});
}

void Cluster::tag(const std::string& image, const std::string& name) const {
  ctr({"images", "tag", "--force", image, name});
}

std::vector<pid_t> Cluster::processes(const std::string& pod_uid) const {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = std::strtol(entry.path().filename().c_str(), nullptr, 10);
    if (pid > 0 && read_file(entry.path() / "cgroup").find(pod_uid) != std::string::npos) {
      found.push_back(static_cast<pid_t>(pid));
    }
  }
  return found;
}

}  // namespace datasync::test
