#include "tests/support/ports.hpp"

#include <filesystem>
#include <random>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace datasync::test {
namespace {

constexpr std::uint16_t kFirst = 20000;
constexpr std::uint16_t kCount = 12000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int call(int (*function)(int, const sockaddr*, socklen_t), std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = loopback(port);
  const int result = function(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  close(fd);
  return result;
}

/// The lock file's descriptor, or -1 when somebody holds it.
int try_lock(const std::filesystem::path& file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

PortLease::PortLease() {
  const std::filesystem::path folder = fmt::format("/tmp/datasync-ports.{}", getuid());
  std::filesystem::create_directories(folder);
  std::random_device random;
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(kFirst + random() % kCount);
    const int fd = try_lock(folder / std::to_string(port));
    if (fd < 0) continue;
    lock_ = std::shared_ptr<const void>(nullptr, [fd](const void*) { close(fd); });
    if (call(bind, port) == 0) {
      port_ = port;
      return;
    }
  }
  throw std::runtime_error("no free port on 127.0.0.1");
}

bool accepts_connections(std::uint16_t port) {
  return call(connect, port) == 0;
}

}  // namespace datasync::test
