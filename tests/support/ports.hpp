#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace datasync::test {

/// A port on 127.0.0.1 that is this object's alone: no other PortLease of any process has it, and `can_listen` was true
/// when it was taken. It is free again when the process dies. The range lies below the ephemeral ports, so that
/// no outgoing connection sits on it while a server restarts. Copies share the lease.
class PortLease {
 public:
  /// Throws when no port is left.
  PortLease();
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// A MariaDB server id that no parallel test has: the port's number.
  [[nodiscard]] std::uint32_t server_id() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  std::uint16_t port_ = 0;
  std::shared_ptr<const void> lock_;
};

/// True when any program may listen on 127.0.0.1:port, whatever options its socket has: nothing listens there, and no
/// connection of an earlier server is left. The kernel keeps one for a minute after its end (TIME_WAIT).
bool can_listen(std::uint16_t port);

/// True while something accepts connections on address:port (an IPv4 address).
bool accepts_connections(std::uint16_t port, const std::string& address = "127.0.0.1");

}  // namespace datasync::test
