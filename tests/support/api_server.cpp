#include "tests/support/api_server.hpp"

#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/kube_parts.hpp"
#include "tests/support/tail.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

std::filesystem::path tools_folder(const std::string& name) {
  auto text = run({"bash", DATASYNC_TEST_KUBE_TOOLS, name}, "", milliseconds(3'600'000));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

std::filesystem::path kube_tool(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::filesystem::path> known;
  const std::lock_guard lock(mutex);
  auto& folder = known[name];
  if (folder.empty()) folder = tools_folder(name);
  return folder / name;
}

ApiServer::ApiServer(const std::filesystem::path& parent, ApiServerOptions options)
    : options_(std::move(options)),
      folder_(parent / fmt::format("kube-{}", port_.port())),
      ca_(folder_, "kubernetes-ca") {
  make_signing_keys(folder_);
  ca_.issue("server", {"DNS:kubernetes.default.svc", "IP:127.0.0.1", "IP:10.0.0.1"});
  ca_.issue("admin", {}, {.validity = Validity::Valid, .subject = "/O=system:masters/CN=admin"});
  write_kubeconfig("admin");
  start();
}

std::filesystem::path ApiServer::write_kubeconfig(const std::string& name) {
  auto path = folder_ / (name + ".kubeconfig");
  write_file(path,
             kubeconfig_text("test", url(), authority(), name, {folder_ / (name + ".crt"), folder_ / (name + ".key")}));
  return path;
}

std::filesystem::path ApiServer::kubeconfig_of(const std::string& name) {
  ca_.issue(name);
  return write_kubeconfig(name);
}

std::string ApiServer::url() const {
  return "https://" + port_.address();
}

void ApiServer::start() {
  if (server_.is_running()) return;
  if (!etcd_.is_running()) {
    ProcessOptions etcd;
    etcd.args = etcd_command("http://" + etcd_port_.address(), "http://" + etcd_peer_port_.address(), folder_ / "etcd");
    etcd.log = folder_ / "etcd.log";
    etcd.working_dir = folder_;
    etcd_ = Process::start(etcd);
  }
  const auto file = [&](const char* name) { return (folder_ / name).string(); };
  ProcessOptions server;
  server.args = {kube_tool("kube-apiserver").string(), "--etcd-servers=http://" + etcd_port_.address(),
                 "--etcd-prefix=/registry", "--bind-address=127.0.0.1", fmt::format("--secure-port={}", port_.port()),
                 "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
                 "--service-cluster-ip-range=10.0.0.0/24", "--cert-dir=" + file("certs"),
                 "--client-ca-file=" + file("ca.crt"), "--tls-cert-file=" + file("server.crt"),
                 "--tls-private-key-file=" + file("server.key"), "--service-account-key-file=" + file("sa.pub"),
                 "--service-account-signing-key-file=" + file("sa.key"),
                 "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC",
                 // No controller makes the default service accounts that this plugin asks for.
                 "--disable-admission-plugins=ServiceAccount", "--shutdown-delay-duration=0s"};
  server.args.insert(server.args.end(), options_.flags.begin(), options_.flags.end());
  server.log = folder_ / "apiserver.log";
  server.working_dir = folder_;
  server_ = Process::start(server);
  const auto ready = [&] {
    if (!server_.is_running()) throw std::runtime_error("kube-apiserver ended:\n" + log_tail());
    if (!accepts_connections(port())) return false;
    try {
      kubectl({"get", "--raw", "/readyz"});
      // Ready may come before the namespaces that the server makes itself.
      kubectl({"get", "namespace", "default"});
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  if (!eventually(ready, milliseconds(90000))) throw std::runtime_error("kube-apiserver is not ready:\n" + log_tail());
}

void ApiServer::kill() {
  server_.kill();
}

std::string ApiServer::kubectl(std::vector<std::string> args, const std::string& input) const {
  args.insert(args.begin(), {kube_tool("kubectl").string(), "--kubeconfig", kubeconfig().string(),
                             "--cache-dir=" + (folder_ / "kubectl-cache").string()});
  return run(args, input);
}

void ApiServer::apply(const std::string& text) const {
  kubectl({"apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-"}, text);
}

void ApiServer::define(const std::string& text, const std::string& name) const {
  apply(text);
  kubectl({"wait", "--for=condition=Established", "crd/" + name, "--timeout=60s"});
}

void ApiServer::make_namespace(const std::string& name) const {
  kubectl({"create", "namespace", name});
}

std::string ApiServer::service_account_token(const std::string& ns, const std::string& name) {
  apply(fmt::format(R"({{"apiVersion":"v1","kind":"ServiceAccount","metadata":{{"namespace":"{}","name":"{}"}}}})", ns,
                    name));
  auto token = kubectl({"-n", ns, "create", "token", name});
  while (!token.empty() && token.back() == '\n') token.pop_back();
  return token;
}

void ApiServer::compact() const {
  // etcd's gRPC gateway: the revision of any answer, then a compaction up to it.
  httplib::Client etcd("127.0.0.1", etcd_port_.port());
  const auto post = [&](const std::string& path, const std::string& body) {
    const auto answer = etcd.Post(path, body, "application/json");
    if (!answer || answer->status != 200) throw std::runtime_error("etcd refused " + path);
    return nlohmann::json::parse(answer->body);
  };
  const auto revision = post("/v3/kv/range", R"({"key":"AA=="})").at("header").at("revision").get<std::string>();
  post("/v3/kv/compaction", fmt::format(R"({{"revision":"{}","physical":true}})", revision));
}

std::string ApiServer::log_tail() const {
  return tail_of(folder_ / "etcd.log") + tail_of(folder_ / "apiserver.log");
}

}  // namespace datasync::test
