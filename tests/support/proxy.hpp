#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

/// A TCP proxy on 127.0.0.1 that stands between an agent and a server and makes the network fail. It forwards on a
/// thread of its own; every call here has taken effect when it returns and may come from any thread. A connection whose
/// server does not accept is reset, as the agent would see it without the proxy.
class Proxy {
 public:
  /// Listens and forwards to `upstream` on 127.0.0.1.
  explicit Proxy(std::uint16_t upstream);
  /// Listens on a port taken before.
  Proxy(std::uint16_t upstream, PortLease lease);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  [[nodiscard]] std::uint16_t port() const;

  /// Undoes everything below: forwards at once again. What a black hole swallowed stays swallowed.
  void pass();
  /// Resets (RST) all connections there are; new ones are accepted.
  void cut();
  /// Half-open: keeps and accepts connections, forwards nothing in either direction, answers nothing. What was sent
  /// stays in the sockets and continues after `pass`.
  void hold();
  /// Like `hold`, but what is sent disappears: after `pass` the old connections are reset.
  void blackhole();
  /// Refuses new connections (they are reset at once); those there are go on.
  void refuse();
  /// Every chunk is forwarded this much later, in each direction.
  void delay(milliseconds by);
  /// Breaks connections in the middle of an answer: so many more bytes reach clients, then the connection that would
  /// take the next one ends; once. Call it while no bytes are under way.
  void cut_after(std::uint64_t bytes);
  /// What `cut_after` asked for has happened.
  [[nodiscard]] bool cut_happened() const;
  /// New connections go to this port of 127.0.0.1; those there are stay.
  void change_upstream(std::uint16_t upstream);

  [[nodiscard]] std::size_t connections() const;        ///< open now
  [[nodiscard]] std::uint64_t accepted() const;         ///< so far
  [[nodiscard]] std::uint64_t bytes_forwarded() const;  ///< so far, both directions

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::test
