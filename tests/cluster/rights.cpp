#include "tests/cluster/rights.hpp"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/manifests.hpp"

namespace datasync::test {
namespace {

using Json = nlohmann::json;

std::string resource_of(const Json& reference) {
  const auto sub = reference.value("subresource", "");
  return reference.value("resource", "") + (sub.empty() ? "" : "/" + sub);
}

void add_rules(const Json& role, std::set<Right>& out) {
  for (const auto& rule : role.value("rules", Json::array())) {
    for (const auto& group : rule.value("apiGroups", Json::array())) {
      for (const auto& resource : rule.value("resources", Json::array())) {
        for (const auto& verb : rule.at("verbs")) out.insert({verb, group, resource});
      }
    }
  }
}

bool is_bound(const Json& binding, const std::string& account) {
  for (const auto& subject : binding.value("subjects", Json::array())) {
    if (subject.value("kind", "") == "ServiceAccount" && subject.value("name", "") == account &&
        subject.value("namespace", "") == kOperators) {
      return true;
    }
  }
  return false;
}

}  // namespace

Used used_rights(const std::filesystem::path& audit_log, const std::string& service_account) {
  const auto user = fmt::format("system:serviceaccount:{}:{}", kOperators, service_account);
  Used out;
  std::ifstream lines(audit_log);
  for (std::string line; std::getline(lines, line);) {
    const auto event = Json::parse(line, nullptr, false);
    if (event.is_discarded() || event["user"].value("username", "") != user || !event.contains("objectRef")) continue;
    const auto& reference = event["objectRef"];
    const Right right{event["verb"], reference.value("apiGroup", ""), resource_of(reference)};
    const auto annotations = event.value("annotations", Json::object());
    if (annotations.value("authorization.k8s.io/decision", "") == "forbid") {
      // An API server that has just been started may answer before it has read any role, its own of discovery too.
      if (annotations.value("authorization.k8s.io/reason", "").find("\"system:discovery\" not found") !=
          std::string::npos)
        continue;
      out.forbidden.insert(fmt::format("{} in {} ({})", right.text(), reference.value("namespace", "the cluster"),
                                       annotations.value("authorization.k8s.io/reason", "no reason")));
      continue;
    }
    // "RBAC: allowed by ... to Group "system:authenticated"": everybody may.
    if (annotations.value("authorization.k8s.io/reason", "").find("Group \"system:") == std::string::npos) {
      out.allowed.insert(right);
      // A server-side apply that makes an object needs both rights and has one line.
      const auto code = event.value("responseStatus", Json::object()).value("code", 0);
      if (right.verb == "patch" && code == 201) out.allowed.insert({"create", right.group, right.resource});
    }
  }
  return out;
}

std::set<Right> given_rights(const Kubectl& kubectl, const std::string& service_account) {
  std::set<Right> out;
  const auto follow = [&](const char* bindings) {
    const auto list = kubectl.get({bindings, "-A"});
    for (const auto& binding : list.at("items")) {
      if (!is_bound(binding, service_account)) continue;
      const auto& role = binding["roleRef"];
      std::vector<std::string> args{role["kind"], role["name"]};
      if (role["kind"] == "Role") args.insert(args.begin(), {"-n", binding["metadata"]["namespace"]});
      add_rules(kubectl.get(args), out);
    }
  };
  follow("rolebindings");
  follow("clusterrolebindings");
  return out;
}

}  // namespace datasync::test
