#pragma once
// What the agents of a resource are to be configured with. Pure: the same resource and runtime give the same bytes, in
// a pod and on a laptop.

#include <cstdint>
#include <filesystem>
#include <string>

#include "agents/config/config.hpp"
#include "operator/api/resource.hpp"

namespace datasync::desired {

/// Where an agent runs: what the resource does not say.
struct Runtime {
  std::filesystem::path secrets_dir;
  std::string instance;  ///< empty: the agent makes one at start
  std::string http_host = "::";
  std::uint16_t http_port = 0;
  std::filesystem::path http_port_file;
  std::string log_level = "info";
  std::string log_format = "auto";
};

/// Precondition: the resource has no problems and has a source.
config::Capture capture_config(const api::DataSync& resource, const Runtime& runtime);
/// Precondition: the resource has no problems and has a destination.
config::Apply apply_config(const api::DataSync& resource, const Runtime& runtime);

/// How every client of a resource reaches its channel.
config::Channel channel_config(const api::Channel& channel);

}  // namespace datasync::desired
