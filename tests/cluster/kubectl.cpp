#include "tests/cluster/kubectl.hpp"

#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

Kubectl::Kubectl(std::filesystem::path kubeconfig, std::filesystem::path scratch)
    : kubeconfig_(std::move(kubeconfig)), scratch_(std::move(scratch)) {}

std::string Kubectl::run(std::vector<std::string> args, const std::string& input,
                         std::chrono::milliseconds limit) const {
  args.insert(args.begin(), {kube_tool("kubectl").string(), "--kubeconfig", kubeconfig_.string(),
                             "--cache-dir=" + (scratch_ / "kubectl-cache").string()});
  return test::run(args, input, limit);
}

std::string Kubectl::helm(std::vector<std::string> args, std::chrono::milliseconds limit) const {
  args.insert(args.begin(),
              {"env", "HELM_CACHE_HOME=" + (scratch_ / "helm").string(),
               "HELM_CONFIG_HOME=" + (scratch_ / "helm").string(), "HELM_DATA_HOME=" + (scratch_ / "helm").string(),
               kube_tool("helm").string(), "--kubeconfig", kubeconfig_.string()});
  return test::run(args, "", limit);
}

void Kubectl::apply(const std::string& text) const {
  run({"apply", "-f", "-"}, text);
}

nlohmann::json Kubectl::get(std::vector<std::string> args) const {
  args.insert(args.begin(), "get");
  args.insert(args.end(), {"-o", "json", "--ignore-not-found", "--request-timeout=30s"});
  const auto text = run(std::move(args), "", std::chrono::seconds(40));
  return text.empty() ? nlohmann::json() : nlohmann::json::parse(text);
}

bool Kubectl::answers() const {
  try {
    run({"get", "--raw", "/readyz", "--request-timeout=5s"}, "", std::chrono::seconds(10));
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

nlohmann::json conditions_of(const nlohmann::json& object) {
  if (object.is_null()) return nlohmann::json::array();
  return object.value("status", nlohmann::json::object()).value("conditions", nlohmann::json::array());
}

nlohmann::json condition_of(const nlohmann::json& object, const std::string& type) {
  for (const auto& condition : conditions_of(object)) {
    if (condition["type"] == type) return condition;
  }
  return nullptr;
}

bool is_ready(const nlohmann::json& object) {
  const auto ready = condition_of(object, "Ready");
  return !ready.is_null() && ready["status"] == "True";
}

int restarts_of(const nlohmann::json& pod) {
  return pod.value(nlohmann::json::json_pointer("/status/containerStatuses/0/restartCount"), -1);
}

}  // namespace datasync::test
