#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "agents/base/result.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/status.hpp"

namespace datasync::health {

/// Serves /livez, /readyz, /metrics and /status over HTTP from two threads of its own. GET only, one request a
/// connection. `status` and `metrics` must outlive it.
class Server {
 public:
  struct Options {
    /// "::" is every address, of IPv6 and of IPv4; where the kernel has no IPv6, those of IPv4.
    std::string host = "::";
    std::uint16_t port = 0;           ///< 0: a free one
    std::filesystem::path port_file;  ///< the port is written here (whole or not at all) when not empty
  };
  /// Errors: ConfigInvalid when the address cannot be bound or the port file not written.
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
