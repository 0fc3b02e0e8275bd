#include "tests/support/api_proxy.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include "tests/support/api_proxy_parts.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {

using std::chrono::seconds;

struct ApiProxy::Impl {
  Impl(const ApiServer& server, const std::string& user, PortLease l)
      : api_port(server.port()),
        folder(server.folder()),
        certificate(folder / ((user.empty() ? "admin" : user) + ".crt")),
        key(folder / ((user.empty() ? "admin" : user) + ".key")),
        lease(std::move(l)) {}

  std::uint16_t api_port;
  std::filesystem::path folder, certificate, key;
  PortLease lease;
  httplib::Server http;
  std::thread thread;
  std::atomic<bool> listener_ended = false;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ApiCall> calls;
  std::size_t committed = 0;
  std::function<Fault(const ApiCall&)> hook;
  WriteHook before, after;
  bool holding = false;
  bool closing = false;
  std::uint64_t watch_round = 0;  ///< counts end_watches
  std::size_t watches = 0;
  bool remembering = false;
  std::map<std::string, Reply> past;
  std::vector<std::unique_ptr<httplib::SSLClient>> idle;

  std::unique_ptr<httplib::SSLClient> connect() const {
    auto client = std::make_unique<httplib::SSLClient>("127.0.0.1", api_port, certificate.string(), key.string());
    client->enable_server_certificate_verification(false);
    client->set_keep_alive(true);
    client->set_tcp_nodelay(true);
    client->set_read_timeout(seconds(3600));
    return client;
  }

  static httplib::Headers headers_of(const httplib::Request& request) {
    httplib::Headers headers{{"Accept", "application/json"}, {"Accept-Encoding", "identity"}};
    for (const auto* name : {"Content-Type", "User-Agent"}) {
      if (request.has_header(name)) headers.emplace(name, request.get_header_value(name));
    }
    return headers;
  }

  Reply forward(const httplib::Request& request) {
    std::unique_ptr<httplib::SSLClient> client;
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        client = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (!client) client = connect();
    httplib::Request forwarded;
    forwarded.method = request.method;
    forwarded.path = request.target;
    forwarded.headers = headers_of(request);
    forwarded.body = request.body;
    const auto result = client->send(forwarded);
    if (!result) return {502, "text/plain", "", "the API server does not answer"};
    Reply reply{result->status, result->get_header_value("Content-Type"), result->get_header_value("Retry-After"),
                result->body};
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(client));
    return reply;
  }

  /// Number and fault of a call that came in.
  std::pair<ApiCall, Fault> admit(const httplib::Request& request) {
    auto call = parse_call(request);
    std::function<Fault(const ApiCall&)> ask;
    {
      std::unique_lock lock(mutex);
      calls.push_back(call);
      call.number = calls.back().number = calls.size();
      changed.wait(lock, [&] { return !holding || closing; });
      ask = hook;
    }
    return {call, ask ? ask(call) : Fault::none()};
  }

  void note(const ApiCall& call) {
    const std::lock_guard lock(mutex);
    if (call.number <= calls.size()) calls[call.number - 1] = call;
  }

  static void give(httplib::Response& response, const Reply& reply) {
    response.status = reply.status;
    if (!reply.retry_after.empty()) response.set_header("Retry-After", reply.retry_after);
    response.set_content(reply.body, reply.type);
  }

  /// The library has no way to close at once: the answer begins and breaks off.
  static void break_off(httplib::Response& response) {
    response.set_content_provider(1'000'000, "application/json",
                                  [](std::size_t, std::size_t, httplib::DataSink&) { return false; });
  }

  static Reply refusal(const Fault& fault) {
    return {fault.status, "application/json", fault.retry_after_s > 0 ? std::to_string(fault.retry_after_s) : "",
            status_object(fault.status, fault.reason)};
  }

  /// After the server has committed a write: counts it and runs the hook.
  void committed_one(const ApiCall& call, httplib::Response& response) {
    WriteHook run;
    std::size_t n = 0;
    {
      const std::lock_guard lock(mutex);
      n = ++committed;
      run = before;
    }
    response.set_header("X-Test-Call", std::to_string(call.number));
    response.set_header("X-Test-Write", std::to_string(n));
    if (run) run(call, n);
  }

  void handle(const httplib::Request& request, httplib::Response& response) {
    auto [call, fault] = admit(request);
    using Kind = Fault::Kind;
    if (fault.kind == Kind::Answer) {
      call.status = fault.status;
      note(call);
      return give(response, refusal(fault));
    }
    if (fault.kind == Kind::Reset) return break_off(response);
    if (call.verb == "watch") return watch(request, response, call, fault.kind);

    auto reply = forward(request);
    call.server_status = call.status = reply.status;
    if (call.verb == "list" && reply.status == 200) {
      const std::lock_guard lock(mutex);
      if (fault.kind == Kind::PastList && past.contains(request.target)) {
        reply = past.at(request.target);
      } else if (remembering) {
        past.try_emplace(request.target, reply);
      }
    }
    if (fault.kind == Kind::AnswerAfterCommit) call.status = fault.status;
    if (fault.kind == Kind::ResetAfterCommit) call.status = 0;
    note(call);
    if (call.committed()) committed_one(call, response);
    if (fault.kind == Kind::ResetAfterCommit) return break_off(response);
    give(response, fault.kind == Kind::AnswerAfterCommit ? refusal(fault) : reply);
  }

  void watch(const httplib::Request& request, httplib::Response& response, ApiCall call, Fault::Kind kind) {
    if (kind == Fault::Kind::GoneEvent) {
      call.status = 200;
      note(call);
      const auto event = "{\"type\":\"ERROR\",\"object\":" + status_object(410, "Expired") + "}\n";
      response.set_chunked_content_provider("application/json", [event](std::size_t, httplib::DataSink& sink) {
        sink.write(event.data(), event.size());
        sink.done();
        return true;
      });
      return;
    }
    auto upstream = std::make_shared<Upstream>();
    if (kind != Fault::Kind::Silence) {
      if (const auto reply = begin_watch(*upstream, connect(), request.target, headers_of(request)); reply) {
        call.status = call.server_status = reply->status;
        note(call);
        return give(response, *reply);
      }
    }
    call.status = 200;
    call.server_status = kind == Fault::Kind::Silence ? 0 : 200;
    note(call);
    std::uint64_t round = 0;
    {
      const std::lock_guard lock(mutex);
      ++watches;
      round = watch_round;
    }
    response.set_chunked_content_provider(
        "application/json",
        [this, upstream, round, kind](std::size_t, httplib::DataSink& sink) {
          return pump(*upstream, sink, round, kind == Fault::Kind::CutLine);
        },
        [this](bool) {
          const std::lock_guard lock(mutex);
          --watches;
        });
  }

  /// Passes on what has come, and returns to be called again; false: the connection is broken off.
  bool pump(Upstream& upstream, httplib::DataSink& sink, std::uint64_t round, bool cut) {
    std::deque<std::string> ready;
    bool ended = false;
    {
      std::unique_lock lock(upstream.mutex);
      upstream.changed.wait_for(lock, milliseconds(20), [&] { return !upstream.chunks.empty() || upstream.ended; });
      ready.swap(upstream.chunks);
      ended = upstream.ended;
    }
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !holding || closing; });
      if (closing) return false;
      if (watch_round != round) ended = true;
    }
    for (const auto& chunk : ready) {
      const auto size = cut ? chunk.size() / 2 : chunk.size();
      if (!sink.write(chunk.data(), size) || cut) return false;
    }
    if (!sink.is_writable()) return false;
    if (ended) sink.done();
    return true;
  }

  /// Called by the library when an answer has been written.
  void answered(const httplib::Response& response) {
    if (!response.has_header("X-Test-Write")) return;
    ApiCall call;
    WriteHook run;
    {
      const std::lock_guard lock(mutex);
      const auto number = std::stoul(response.get_header_value("X-Test-Call"));
      if (number <= calls.size()) call = calls[number - 1];
      run = after;
    }
    if (run) run(call, std::stoul(response.get_header_value("X-Test-Write")));
  }

  void start() {
    http.new_task_queue = [] { return new httplib::ThreadPool(96); };  // one for each kept connection and watch
    http.set_tcp_nodelay(true);
    http.set_keep_alive_max_count(1'000'000);
    const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
      handle(request, response);
    };
    http.Get(".*", handler);
    http.Post(".*", handler);
    http.Put(".*", handler);
    http.Patch(".*", handler);
    http.Delete(".*", handler);
    http.set_logger([this](const httplib::Request&, const httplib::Response& response) { answered(response); });
    // The library's default is SO_REUSEPORT: that fails where connections of a server without it are left, and it does
    // not fail where another program listens with it.
    http.set_socket_options([](socket_t s) {
      const int on = 1;
      setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    if (!http.bind_to_port("127.0.0.1", lease.port()))
      throw std::system_error(errno, std::generic_category(), "the proxy cannot listen on " + lease.address());
    thread = std::thread([this] {
      http.listen_after_bind();
      listener_ended = true;
    });
    // `stop` has no effect before the listener runs.
    while (!http.is_running() && !listener_ended) std::this_thread::yield();
  }

  void close() {
    {
      const std::lock_guard lock(mutex);
      closing = true;
    }
    changed.notify_all();
    http.stop();
    thread.join();
  }
};

ApiProxy::ApiProxy(const ApiServer& server, const std::string& user, PortLease lease)
    : impl_(std::make_shared<Impl>(server, user, std::move(lease))) {
  impl_->start();
}

ApiProxy::~ApiProxy() {
  impl_->close();
}

std::string ApiProxy::url() const {
  return "http://" + impl_->lease.address();
}

std::filesystem::path ApiProxy::kubeconfig() const {
  const nlohmann::json config{
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"clusters", {{{"name", "proxy"}, {"cluster", {{"server", url()}}}}}},
      {"users", {{{"name", "nobody"}, {"user", nlohmann::json::object()}}}},
      {"contexts", {{{"name", "proxy"}, {"context", {{"cluster", "proxy"}, {"user", "nobody"}}}}}},
      {"current-context", "proxy"}};
  auto file = impl_->folder / fmt::format("proxy-{}.kubeconfig", impl_->lease.port());
  write_file(file, config.dump());
  return file;
}

void ApiProxy::on_call(std::function<Fault(const ApiCall&)> hook) {
  const std::lock_guard lock(impl_->mutex);
  impl_->hook = std::move(hook);
}

void ApiProxy::before_answer(WriteHook hook) {
  const std::lock_guard lock(impl_->mutex);
  impl_->before = std::move(hook);
}

void ApiProxy::after_answer(WriteHook hook) {
  const std::lock_guard lock(impl_->mutex);
  impl_->after = std::move(hook);
}

void ApiProxy::hold(bool on) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->holding = on;
  }
  impl_->changed.notify_all();
}

void ApiProxy::remember_lists() {
  const std::lock_guard lock(impl_->mutex);
  impl_->remembering = true;
  impl_->past.clear();
}

void ApiProxy::end_watches() {
  const std::lock_guard lock(impl_->mutex);
  ++impl_->watch_round;
}

std::vector<ApiCall> ApiProxy::calls() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->calls;
}

std::size_t ApiProxy::count(const std::function<bool(const ApiCall&)>& which) const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<std::size_t>(std::ranges::count_if(impl_->calls, which));
}

std::size_t ApiProxy::count(const std::string& verb, const std::string& resource) const {
  return count([&](const ApiCall& c) { return c.verb == verb && (resource.empty() || c.resource == resource); });
}

std::size_t ApiProxy::writes() const {
  return count([](const ApiCall& c) { return c.is_write(); });
}

std::size_t ApiProxy::watches_now() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->watches;
}

void ApiProxy::reset() {
  const std::lock_guard lock(impl_->mutex);
  impl_->calls.clear();
  impl_->committed = 0;
  impl_->hook = nullptr;
  impl_->before = nullptr;
  impl_->after = nullptr;
  impl_->remembering = false;
  impl_->past.clear();
}

}  // namespace datasync::test
