#pragma once

#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace datasync::test {

/// Leaves a connection on 127.0.0.1:port as a server does that closes it first and ends: the kernel keeps it for a
/// minute (TIME_WAIT).
inline void leave_connection(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, where, sizeof address) != 0 || listen(listener, 1) != 0 ||
      connect(client, where, sizeof address) != 0)
    throw std::system_error(errno, std::generic_category(), "leaving a connection");
  close(accept(listener, nullptr, nullptr));
  close(client);
  close(listener);
}

}  // namespace datasync::test
