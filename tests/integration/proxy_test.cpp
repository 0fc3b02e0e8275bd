// The proxy must do to a connection what the fault tests believe it does.

#include "tests/support/proxy.hpp"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

constexpr auto kSoon = milliseconds(5000);
constexpr auto kNotYet = milliseconds(50);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// One end of a connection.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}
  Wire(Wire&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Wire& operator=(Wire&&) = delete;
  ~Wire() { close(); }

  static Wire connect(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ADD_FAILURE() << "connect";
    return Wire(fd);
  }

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  void send(const std::string& text) const {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  /// What arrives within `limit`: text, "(end)", "(reset)", or "" for nothing.
  [[nodiscard]] std::string receive(milliseconds limit = kSoon) const {
    pollfd state{fd_, POLLIN, 0};
    if (poll(&state, 1, static_cast<int>(limit.count())) == 0) return "";
    std::string text(1000, '\0');
    const auto got = recv(fd_, text.data(), text.size(), 0);
    if (got == 0) return "(end)";
    if (got < 0) return errno == ECONNRESET ? "(reset)" : "(error)";
    text.resize(static_cast<std::size_t>(got));
    return text;
  }

 private:
  int fd_;
};

class Server {
 public:
  Server() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = loopback(lease_.port());
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 10), 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { close(fd_); }

  [[nodiscard]] std::uint16_t port() const { return lease_.port(); }
  [[nodiscard]] Wire accept() const { return Wire(::accept(fd_, nullptr, nullptr)); }

 private:
  PortLease lease_;
  int fd_;
};

class ProxyTest : public testing::Test {
 protected:
  Server server_;
  Proxy proxy_{server_.port()};
};

TEST_F(ProxyTest, ForwardsBothWaysAndPassesTheEndOn) {
  auto client = Wire::connect(proxy_.port());
  auto peer = server_.accept();
  client.send("ask");
  EXPECT_EQ(peer.receive(), "ask");
  peer.send("answer");
  EXPECT_EQ(client.receive(), "answer");
  EXPECT_TRUE(eventually([&] { return proxy_.bytes_forwarded() == 9; }, kSoon));
  client.close();
  EXPECT_EQ(peer.receive(), "(end)");
  peer.close();
  EXPECT_TRUE(eventually([&] { return proxy_.connections() == 0; }, kSoon));
}

TEST_F(ProxyTest, ForwardsMoreThanItHolds) {
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  constexpr std::size_t kBytes = 8U << 20U;
  std::jthread sender([&] { client.send(std::string(kBytes, 'x')); });
  std::size_t got = 0;
  while (got < kBytes) got += peer.receive().size();
  EXPECT_EQ(got, kBytes);
}

TEST_F(ProxyTest, CutResetsBothEndsAndTakesNewConnections) {
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  client.send("x");
  EXPECT_EQ(peer.receive(), "x");
  proxy_.cut();
  EXPECT_EQ(client.receive(), "(reset)");
  EXPECT_EQ(peer.receive(), "(reset)");
  const auto again = Wire::connect(proxy_.port());
  again.send("y");
  EXPECT_EQ(server_.accept().receive(), "y");
}

TEST_F(ProxyTest, HoldKeepsConnectionsSilentAndLosesNothing) {
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  proxy_.hold();
  client.send("late");
  EXPECT_EQ(peer.receive(kNotYet), "");
  const auto other = Wire::connect(proxy_.port());
  EXPECT_EQ(other.receive(kNotYet), "");
  proxy_.pass();
  EXPECT_EQ(peer.receive(), "late");
}

TEST_F(ProxyTest, BlackholeSwallowsAndResetsAfterwards) {
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  client.send("before");
  EXPECT_EQ(peer.receive(), "before");
  proxy_.blackhole();
  client.send("lost");
  EXPECT_EQ(peer.receive(kNotYet), "");
  EXPECT_EQ(client.receive(kNotYet), "");
  proxy_.pass();
  EXPECT_EQ(client.receive(), "(reset)");
  EXPECT_EQ(peer.receive(), "(reset)");
}

TEST_F(ProxyTest, RefuseKeepsOldConnections) {
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  client.send("a");
  EXPECT_EQ(peer.receive(), "a");
  proxy_.refuse();
  const auto refused = Wire::connect(proxy_.port());
  EXPECT_EQ(refused.receive(), "(reset)");
  client.send("b");
  EXPECT_EQ(peer.receive(), "b");
}

TEST_F(ProxyTest, DelayIsAtLeastWhatWasAsked) {
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  proxy_.delay(milliseconds(100));
  const auto before = std::chrono::steady_clock::now();
  client.send("x");
  EXPECT_EQ(peer.receive(), "x");
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(100));
}

TEST_F(ProxyTest, NewConnectionsGoToTheNewUpstream) {
  const Server second;
  const auto client = Wire::connect(proxy_.port());
  const auto peer = server_.accept();
  proxy_.change_upstream(second.port());
  const auto other = Wire::connect(proxy_.port());
  const auto other_peer = second.accept();
  other.send("new");
  EXPECT_EQ(other_peer.receive(), "new");
  client.send("old");
  EXPECT_EQ(peer.receive(), "old");
}

TEST_F(ProxyTest, ResetsWhenNothingListensUpstream) {
  proxy_.change_upstream(PortLease().port());
  EXPECT_EQ(Wire::connect(proxy_.port()).receive(), "(reset)");
}

}  // namespace
}  // namespace datasync::test
