#pragma once

#include <compare>
#include <filesystem>
#include <set>
#include <string>

#include "tests/cluster/kubectl.hpp"

namespace datasync::test {

/// A verb on a kind of object: "list deployments.apps", "update leases.coordination.k8s.io".
struct Right {
  std::string verb, group, resource;
  auto operator<=>(const Right&) const = default;
  [[nodiscard]] std::string text() const { return verb + " " + resource + (group.empty() ? "" : "." + group); }
};

/// What a service account did, as the API server's audit log has it. What RBAC gives to everybody (discovery, its own
/// reviews) is left out.
struct Used {
  std::set<Right> allowed;
  std::set<std::string> forbidden;  ///< with the server's reason
};
Used used_rights(const std::filesystem::path& audit_log, const std::string& service_account);

/// What the Roles and ClusterRoles that are bound to that account (of the namespace of operators) give it, one entry
/// for each verb and resource.
std::set<Right> given_rights(const Kubectl& kubectl, const std::string& service_account);

}  // namespace datasync::test
