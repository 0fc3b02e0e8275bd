#include <atomic>
#include <future>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operator/reconcile/agent_poller.hpp"
#include "operator/reconcile/agent_query.hpp"
#include "tests/integration/fake_status.hpp"

namespace datasync::reconcile {
namespace {

using base::Millis;
using test::FakeStatus;

/// Answers every connection with what `send` writes, until it returns.
class Peer {
 public:
  explicit Peer(std::function<void(int socket, const std::atomic<bool>& ends)> send) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, send = std::move(send)] {
      for (int one = 0; (one = accept(listener_, nullptr, nullptr)) >= 0; close(one)) send(one, ends_);
    });
  }
  ~Peer() {
    ends_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::atomic<bool> ends_ = false;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

bool send_all(int socket, const std::string& text) {
  return send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

StatusAnswer ask(std::uint16_t port) {
  return ask_status("127.0.0.1", port, Millis(500), Millis(700), 100'000);
}

TEST(Ask, gives_what_an_agent_answers) {
  const FakeStatus agent(R"({"state":"Streaming"})");
  const Millis no_limit = std::chrono::minutes(10);
  const auto answer = ask_status("127.0.0.1", static_cast<std::uint16_t>(agent.port()), no_limit, no_limit, 100'000);
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.body, R"({"state":"Streaming"})");
}

TEST(Ask, a_body_without_an_end_is_bounded) {
  const Peer peer([](int socket, const std::atomic<bool>& ends) {
    send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
    while (!ends && send_all(socket, std::string(10'000, 'x'))) {
    }
  });
  const auto answer = ask(peer.port());
  EXPECT_NE(answer.error, "");
  EXPECT_EQ(answer.body, "");
}

// The header fields were kept without a bound, as long as they kept coming.
TEST(Ask, header_fields_without_an_end_are_bounded) {
  std::atomic<std::size_t> sent = 0;
  const Peer peer([&sent](int socket, const std::atomic<bool>& ends) {
    send_all(socket, "HTTP/1.1 200 OK\r\n");
    while (!ends && send_all(socket, "A: " + std::string(1000, 'a') + "\r\n")) sent += 1000;
  });
  EXPECT_NE(ask(peer.port()).error, "");
  EXPECT_LT(sent.load(), 20'000'000U) << "socket buffers hold some of it";
}

// Each byte came within the limit of one read, and the thread asked nobody else.
TEST(Ask, a_trickle_holds_the_thread_no_longer_than_the_limit) {
  const Peer peer([](int socket, const std::atomic<bool>& ends) {
    send_all(socket, "HTTP/1.1 200 OK\r\nA: ");
    while (!ends && send_all(socket, "a")) std::this_thread::sleep_for(Millis(20));
  });
  const auto begin = base::steady_now();
  EXPECT_NE(ask(peer.port()).error, "");
  EXPECT_LT(base::steady_now() - begin, Millis(5'000));
}

TEST(Ask, a_name_is_not_looked_up) {
  EXPECT_NE(ask_status("localhost", 1, Millis(500), Millis(500), 10).error, "");
}

std::optional<decide::Report> report_of(const std::string& answer) {
  const FakeStatus agent(answer);
  std::promise<void> told;
  std::once_flag once;
  AgentPoller reports({.threads = 1}, [&](const kube::ObjectKey&) { std::call_once(once, [&] { told.set_value(); }); });
  reports.watch({"w", "shop"}, {{"apply", "p", "127.0.0.1", agent.port()}});
  if (told.get_future().wait_for(std::chrono::seconds(20)) != std::future_status::ready) return std::nullopt;
  reports.stop();
  return reports.of({"w", "shop"}).at("apply");
}

// The stack of the asking thread overflowed, and with it ended the operator of all tenants.
TEST(AgentPoller, an_answer_of_many_brackets_ends_no_thread) {
  const auto report = report_of(R"({"state":"Streaming","streams":[{"skippedOffsets":[)" + std::string(200'000, '[') +
                                std::string(200'000, ']') + "]}]}");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->view);
  EXPECT_EQ(report->error, "/status: not the response of an agent");
}

TEST(AgentPoller, a_time_without_a_text_ends_no_thread) {
  const auto report = report_of(R"({"state":"Streaming","held":[{"table":"t","since":9223372036854775807}]})");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->view);
}

}  // namespace
}  // namespace datasync::reconcile
