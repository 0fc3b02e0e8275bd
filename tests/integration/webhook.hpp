#pragma once
// A mutating admission webhook of another program: a TLS server in the test that changes what the API server is sent.

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "tests/support/api_server.hpp"
#include "tests/support/certificates.hpp"

namespace datasync::test {

inline std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');  // with the zero byte that it writes at the end
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

/// `change` is called on the server's threads, several at once. Serves until it is destroyed.
class Webhook {
 public:
  using Json = nlohmann::json;
  Webhook(const std::filesystem::path& folder, std::function<void(Json& object)> change)
      : change_(std::move(change)),
        ca_(folder, "webhooks"),
        files_(ca_.issue("webhook", {"IP:127.0.0.1"})),
        server_(files_.certificate.c_str(), files_.key.c_str()) {
    server_.Post("/", [this](const httplib::Request& request, httplib::Response& response) {
      response.set_content(review(request.body), "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
  }
  ~Webhook() { server_.stop(); }
  Webhook(const Webhook&) = delete;
  Webhook& operator=(const Webhook&) = delete;

  /// Puts it in front of Deployments, ConfigMaps, ServiceAccounts, Jobs and pods of the namespace.
  void enter(const ApiServer& api, const std::string& ns) const {
    Json hook{
        {"name", "webhook.datasync.test"},
        {"admissionReviewVersions", {"v1"}},
        {"sideEffects", "None"},
        {"failurePolicy", "Fail"},
        {"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", ns}}}}},
        {"clientConfig",
         {{"url", fmt::format("https://127.0.0.1:{}/", port_)}, {"caBundle", base64(read_file(ca_.certificate()))}}}};
    for (const auto& [group, kinds] : {std::pair("apps", Json{"deployments"}), std::pair("batch", Json{"jobs"}),
                                       std::pair("", Json{"configmaps", "serviceaccounts", "pods"})})
      hook["rules"].push_back({{"apiGroups", {group}},
                               {"apiVersions", {"v1"}},
                               {"operations", {"CREATE", "UPDATE"}},
                               {"resources", kinds}});
    api.apply(Json{{"apiVersion", "admissionregistration.k8s.io/v1"},
                   {"kind", "MutatingWebhookConfiguration"},
                   {"metadata", {{"name", "webhook"}}},
                   {"webhooks", {std::move(hook)}}}
                  .dump());
  }
  void leave(const ApiServer& api) const { api.kubectl({"delete", "mutatingwebhookconfiguration", "webhook"}); }
  [[nodiscard]] std::size_t asked() const { return asked_; }

 private:
  std::string review(const std::string& body) {
    ++asked_;
    const auto request = Json::parse(body).at("request");
    auto object = request.at("object");
    change_(object);
    const auto patch = Json::diff(request.at("object"), object).dump();
    return Json{{"apiVersion", "admission.k8s.io/v1"},
                {"kind", "AdmissionReview"},
                {"response",
                 {{"uid", request.at("uid")}, {"allowed", true}, {"patchType", "JSONPatch"}, {"patch", base64(patch)}}}}
        .dump();
  }

  std::function<void(Json&)> change_;
  CertificateAuthority ca_;
  Certificate files_;
  httplib::SSLServer server_;
  int port_ = 0;
  std::atomic<std::size_t> asked_ = 0;
  std::jthread thread_;  // last: it ends before what it uses
};

/// What a mesh, a registry mirror and a policy make of objects; some of it is ours.
inline void change_as_others_do(nlohmann::json& object) {
  auto& meta = object["metadata"];
  meta["labels"]["mesh"] = "on";
  const auto kind = object.value("kind", "");
  if (kind == "Pod") {
    auto& containers = object["spec"]["containers"];
    if (containers[0].at("name") != "mesh")
      containers.insert(containers.begin(), nlohmann::json::parse(R"({"name":"mesh","image":"mesh",
        "ports":[{"name":"http","containerPort":15020}]})"));
    return;
  }
  meta["labels"]["app.kubernetes.io/part-of"] = "platform";
  if (kind == "ServiceAccount") meta.erase("annotations");
  if (kind == "ConfigMap") object["data"]["mesh.json"] = "{}";
  if (kind != "Deployment" && kind != "Job") return;
  auto& pods = object["spec"]["template"];
  pods["metadata"]["labels"]["mesh"] = "on";
  auto& spec = pods["spec"];
  auto& agent = spec["containers"][0];
  const auto image = agent.value("image", "");
  if (image.starts_with("registry.test/")) agent["image"] = "mirror.test/" + image;
  agent["resources"]["limits"]["cpu"] = "2";
  agent["resources"]["requests"]["cpu"] = "50m";
  if (!spec.contains("tolerations")) spec["tolerations"] = {{{"key", "spot"}, {"operator", "Exists"}}};
  if (spec["containers"].size() == 1) spec["containers"].push_back({{"name", "logs"}, {"image", "logs"}});
}

}  // namespace datasync::test
