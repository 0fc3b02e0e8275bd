#pragma once
// What a user of the environment applies, as text for kubectl: one JSON object each, which is YAML too.

#include <map>
#include <string>
#include <vector>

#include "tests/cluster/servers.hpp"

namespace datasync::test {

inline constexpr const char* kNamespace = "sync";             ///< of all DataSyncs
inline constexpr const char* kOperators = "datasync-system";  ///< of the operators

/// Pods of the namespace must meet Pod Security `restricted`.
std::string restricted_namespace(const std::string& name);
/// A Service without pods whose address leads to a server beside the clusters, with its namespace.
std::string service_to(const ServerName& server, const std::string& address);
std::string secret(const std::string& name, const std::map<std::string, std::string>& values);

/// The secrets that the resources name, by name: credentials and authorities.
std::map<std::string, std::string> secrets(const Servers& servers);

/// In cluster A: publishes the types `bank` and `shop` of a replica.
std::string capture_only();
/// In cluster A: both agents, from the same replicas to the back office, over a topic of its own.
std::string full_resource();
/// In cluster B: stores one type each in the recovery database.
std::string apply_only(const std::string& type);

}  // namespace datasync::test
