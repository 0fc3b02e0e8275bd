#pragma once
// What every control plane that tests start is made of, an API server alone or a whole cluster.

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"

namespace datasync::test {

/// The text of a kubeconfig with one context, named as the cluster; certificates and key stand in it.
std::string kubeconfig_text(const std::string& cluster, const std::string& url, const std::filesystem::path& authority,
                            const std::string& user, const Certificate& certificate);

/// Makes sa.key and sa.pub in `folder`: what service accounts' tokens are signed and checked with.
void make_signing_keys(const std::filesystem::path& folder);

/// The command line of a single etcd that keeps nothing on the disk for certain.
std::vector<std::string> etcd_command(const std::string& client_url, const std::string& peer_url,
                                      const std::filesystem::path& data);

/// The definition of PodMonitor as far as the operator cares, and its name.
extern const char* const kPodMonitors;
inline constexpr const char* kPodMonitorsName = "podmonitors.monitoring.coreos.com";

}  // namespace datasync::test
