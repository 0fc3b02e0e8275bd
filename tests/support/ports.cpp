#include "tests/support/ports.hpp"

#include <cstddef>
#include <random>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace datasync::test {
namespace {

constexpr std::uint16_t kFirst = 20000;
constexpr std::uint16_t kCount = 12000;

sockaddr_in endpoint(const std::string& address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &out.sin_addr) != 1) throw std::runtime_error("no IPv4 address: " + address);
  return out;
}

/// Without SO_REUSEADDR: a bind with it succeeds where one with SO_REUSEPORT, or with neither, does not.
int call(int (*function)(int, const sockaddr*, socklen_t), std::uint16_t port, const std::string& host = "127.0.0.1") {
  const auto address = endpoint(host, port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int result = function(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  close(fd);
  return result;
}

/// A Unix socket bound to the port's abstract name, or -1 when a process has it: such a name is one process's at a time
/// and ends with it, like the port itself, and leaves no file behind (unix(7)).
int try_lock(std::uint16_t port) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = fmt::format("datasync-test-port-{}", port);
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

PortLease::PortLease() {
  std::random_device random;
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirst + random() % kCount);
    const int fd = try_lock(port);
    if (fd < 0) continue;
    lock_ = std::shared_ptr<const void>(nullptr, [fd](const void*) { close(fd); });
    if (can_listen(port)) {
      port_ = port;
      return;
    }
  }
  throw std::runtime_error("no free port on 127.0.0.1");
}

bool can_listen(std::uint16_t port) {
  return call(bind, port) == 0;
}

bool accepts_connections(std::uint16_t port, const std::string& address) {
  return call(connect, port, address) == 0;
}

}  // namespace datasync::test
