#pragma once
// An agent of which only /status is there.

#include <atomic>
#include <string>
#include <thread>

#include <httplib.h>

namespace datasync::test {

class FakeStatus {
 public:
  explicit FakeStatus(std::string status) : status_(std::move(status)) {
    server_.Get("/status",
                [this](const httplib::Request&, httplib::Response& r) { r.set_content(status_, "application/json"); });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] {
      server_.listen_after_bind();
      ended_ = true;
    });
    // `stop` has no effect before the listener runs, and the destructor would then wait forever.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
  }
  ~FakeStatus() { server_.stop(); }
  FakeStatus(const FakeStatus&) = delete;
  FakeStatus& operator=(const FakeStatus&) = delete;
  [[nodiscard]] int port() const { return port_; }

 private:
  std::string status_;
  httplib::Server server_;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

}  // namespace datasync::test
