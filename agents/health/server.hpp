#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "agents/base/result.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/status.hpp"

namespace datasync::health {

/// Serves /livez, /readyz, /metrics and /status over HTTP from two threads of its own. GET only, one request per
/// connection. `status` and `metrics` must outlive the server.
class Server {
 public:
  struct Options {
    /// "::" means every IPv6 and IPv4 address, or every IPv4 address when the kernel has no IPv6.
    std::string host = "::";
    std::uint16_t port = 0;           ///< 0: a free port
    std::filesystem::path port_file;  ///< when not empty, the port is written to this file (completely or not at all)
  };
  /// Starts the server. Errors: ConfigInvalid when the address cannot be bound or the port file cannot be written.
  static base::Result<std::unique_ptr<Server>> start(const Options& options, const Status& status,
                                                     const Metrics& metrics);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::health
