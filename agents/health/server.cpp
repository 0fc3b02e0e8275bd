#include "agents/health/server.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/base/log.hpp"

namespace datasync::health {
namespace {

constexpr auto kClientPatience =
    std::chrono::seconds(1);  // there is one worker, so a slow client must not block it for long
constexpr std::size_t kMaxRequestBody = 1024;

void answer(httplib::Response& response, bool good) {
  response.status = good ? 200 : 503;
  response.set_content(good ? "ok\n" : "not ok\n", "text/plain");
}

base::Result<void> write_port(const std::filesystem::path& file, std::uint16_t port) {
  if (file.empty()) return {};
  const auto unfinished = file.string() + ".tmp";
  {
    std::ofstream out(unfinished, std::ios::trunc);
    out << port << '\n';
    out.flush();
    if (!out) return base::Error(base::Reason::ConfigInvalid, fmt::format("{} cannot be written", unfinished));
  }
  std::error_code error;
  std::filesystem::rename(unfinished, file, error);
  if (error) {
    return base::Error(base::Reason::ConfigInvalid, fmt::format("{}: {}", file.string(), error.message()));
  }
  return {};
}

constexpr std::string_view kEveryAddress = "::";

/// Returns the port, or a number below 1 after a failure.
int bind(httplib::Server& http, const std::string& host, std::uint16_t port) {
  if (port == 0) return http.bind_to_any_port(host);
  return http.bind_to_port(host, port) ? port : -1;
}

bool has_ipv6() {
  const int s = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s >= 0) ::close(s);
  return s >= 0;
}

}  // namespace

struct Server::Impl {
  httplib::Server http;
  std::uint16_t port = 0;
  std::atomic<bool> ended = false;
  std::thread listener;  // joined by ~Server
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::uint16_t Server::port() const noexcept {
  return impl_->port;
}

base::Result<std::unique_ptr<Server>> Server::start(const Options& options, const Status& status,
                                                    const Metrics& metrics) {
  auto impl = std::make_unique<Impl>();
  auto& http = impl->http;
  http.new_task_queue = [] { return new httplib::ThreadPool(1); };  // the library owns and deletes it
  // The library's default sets SO_REUSEPORT, with which two agents would share a port without an error.
  http.set_socket_options([](socket_t s) {
    const int yes = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const int no = 0;  // this fails on an IPv4 socket and has no effect there
    setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  });
  http.set_keep_alive_max_count(1);
  http.set_read_timeout(kClientPatience);
  http.set_write_timeout(kClientPatience);
  http.set_payload_max_length(kMaxRequestBody);
  http.Get("/livez", [&status](const auto&, auto& response) { answer(response, status.live()); });
  http.Get("/readyz", [&status](const auto&, auto& response) { answer(response, status.ready()); });
  http.Get("/status",
           [&status](const auto&, auto& response) { response.set_content(status.json() + "\n", "application/json"); });
  http.Get("/metrics", [&metrics](const auto&, auto& response) {
    response.set_content(metrics.text(), "text/plain; version=0.0.4; charset=utf-8");
  });

  int bound = bind(http, options.host, options.port);
  if (bound <= 0 && options.host == kEveryAddress && !has_ipv6()) bound = bind(http, "0.0.0.0", options.port);
  if (bound <= 0) {
    return base::Error(base::Reason::ConfigInvalid,
                       fmt::format("httpPort: cannot listen on {}:{}", options.host, options.port));
  }
  impl->port = static_cast<std::uint16_t>(bound);
  impl->listener = std::thread([&http, &ended = impl->ended] {
    pthread_setname_np(pthread_self(), "http");
    http.listen_after_bind();
    ended = true;
  });
  // `stop` has no effect before the listener runs, and the destructor would then wait forever.
  while (!http.is_running() && !impl->ended) std::this_thread::yield();
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  DS_TRY(write_port(options.port_file, server->port()));
  base::log::info("http server listens", {base::log::Field("host", std::string_view(options.host)),
                                          base::log::Field("port", std::int64_t{server->port()})});
  return server;
}

Server::~Server() {
  impl_->http.stop();
  impl_->listener.join();
}

}  // namespace datasync::health
