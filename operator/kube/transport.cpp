#include "operator/kube/transport.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <cpprest/http_client.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <pplx/threadpool.h>

#include "operator/kube/tls_context.hpp"

namespace datasync::kube {
namespace {

using base::Error;
using base::Reason;
using base::Result;
namespace web_http = web::http;
using Buffer = concurrency::streams::streambuf<std::uint8_t>;

/// Threads of the library's pool, which carry all sockets. Nothing blocks in them, so few do; the default is 40.
constexpr std::size_t kPoolThreads = 3;
/// How long a call that was cancelled may take to end; it takes milliseconds.
constexpr base::Millis kCancelGrace{5'000};

/// Waits on a thread of our own for a task of the library's: until it is done, a deadline, or a stop.
class Wait {
 public:
  enum class End : std::uint8_t { Done, Late, Stopped };

  template <class T>
  static End until(const pplx::task<T>& task, base::SteadyTime deadline, const std::stop_token& stop) {
    if (task.is_done()) return End::Done;
    auto state = std::make_shared<Wait>();
    // It does not block: the task is done when it runs. It also looks at the exception, which nobody else may ever do
    // when the wait is given up; the library ends the process over one that nobody looked at.
    task.then([state](const pplx::task<T>& done) {
      try {
        done.wait();
      } catch (...) {  // NOLINT(bugprone-empty-catch): the caller gets it from the task
      }
      const std::lock_guard lock(state->mutex_);
      state->done_ = true;
      state->wakes_.notify_all();
    });
    std::unique_lock lock(state->mutex_);
    if (state->wakes_.wait_until(lock, stop, deadline, [&] { return state->done_; })) return End::Done;
    return stop.stop_requested() ? End::Stopped : End::Late;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wakes_;
  bool done_ = false;
};

ApiError failure(Code code, std::string what) {
  return {code, 0, std::move(what), {}};
}

/// What the current exception of the library means. Its error numbers are not reliable (a cut stream is "No such
/// file"), so that none of them decides anything.
ApiError thrown() {
  try {
    throw;
  } catch (const TlsSetup& e) {
    return failure(Code::Unauthorized, e.what());
  } catch (const web_http::http_exception& e) {
    const std::string_view what = e.what();
    const bool tls = what.find("SSL handshake") != std::string_view::npos;
    return failure(Code::Transport,
                   fmt::format("{}{}", what, tls ? " (is the certificate authority the right one?)" : ""));
  } catch (const std::exception& e) {
    return failure(Code::Transport, e.what());
  }
}

base::Millis retry_after(const web_http::http_headers& headers) {
  const auto found = headers.find("Retry-After");
  if (found == headers.end()) return {};
  int seconds = 0;
  const auto& text = found->second;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return bad == std::errc{} && end == text.data() + text.size() ? std::chrono::seconds(std::max(0, seconds))
                                                                : base::Millis(0);
}

}  // namespace

struct Transport::Impl {
  Impl(Options o, std::shared_ptr<Credentials> c) : options(std::move(o)), credentials(std::move(c)) {}

  web_http::client::http_client_config config() {
    web_http::client::http_client_config config;
    config.set_timeout(options.longest_wait + std::chrono::seconds(30));
    config.set_validate_certificates(!credentials->access().skip_verify);
    // Once for each connection: files that were replaced count from then on.
    config.set_ssl_context_callback([known = credentials](boost::asio::ssl::context& context) {
      const auto material = known->tls();
      if (!material) throw TlsSetup(material.error().what);
      auto* native = context.native_handle();
      SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
      if (!material->authority.empty()) trust(native, material->authority);
      if (!material->certificate.empty()) identify(native, material->certificate, material->key);
    });
    return config;
  }

  ApiResult<web_http::http_request> make(const Request& request) {
    const auto token = credentials->token();
    if (!token) return tl::unexpected(failure(Code::Unauthorized, token.error().what));
    web_http::http_request made(request.method);
    made.set_request_uri(web::uri(request.target));
    made.headers().add("Accept", "application/json");
    made.headers().add("User-Agent", options.user_agent);
    if (!token->empty()) made.headers().add("Authorization", "Bearer " + token->reveal());
    if (!request.body.empty()) made.set_body(request.body, request.content_type);
    return made;
  }

  /// Reads what comes until the end; `on_bytes` returns false to leave. `deadline` is asked before each wait.
  static ApiResult<void> read(Buffer body, const pplx::cancellation_token_source& cancel, const std::stop_token& stop,
                              const std::function<base::SteadyTime()>& deadline,
                              const std::function<ApiResult<bool>(std::string_view)>& on_bytes) {
    std::string bytes;
    for (;;) {
      const auto first = body.bumpc();
      if (const auto end = Wait::until(first, deadline(), stop); end != Wait::End::Done)
        return give_up(cancel, first, end);
      const auto byte = first.get();
      if (byte == Buffer::traits::eof()) return {};
      // What came along with it is there already: this does not wait.
      bytes.assign(1, static_cast<char>(byte));
      if (const auto more = body.in_avail(); more > 0) {
        bytes.resize(1 + more);
        const auto got = body.getn(reinterpret_cast<std::uint8_t*>(bytes.data() + 1), more).get();
        bytes.resize(1 + got);
      }
      auto go_on = on_bytes(bytes);
      if (!go_on || !*go_on) {
        cancel.cancel();
        if (!go_on) return tl::unexpected(std::move(go_on).error());
        return {};
      }
    }
  }

  template <class T>
  static tl::unexpected<ApiError> give_up(const pplx::cancellation_token_source& cancel, const pplx::task<T>& task,
                                          Wait::End end) {
    cancel.cancel();
    (void)Wait::until(task, base::steady_now() + kCancelGrace, {});
    return tl::unexpected(end == Wait::End::Stopped ? failure(Code::Stopped, "stopped")
                                                    : failure(Code::Timeout, "the server did not answer in time"));
  }

  /// Sends and waits for the status line and headers.
  ApiResult<web_http::http_response> begin(const Request& request, const pplx::cancellation_token_source& cancel,
                                           base::SteadyTime deadline, const std::stop_token& stop) {
    auto made = make(request);
    if (!made) return tl::unexpected(std::move(made).error());
    const auto task = client->request(*made, cancel.get_token());
    if (const auto end = Wait::until(task, deadline, stop); end != Wait::End::Done) return give_up(cancel, task, end);
    return task.get();
  }

  ApiResult<Answer> whole(web_http::http_response& response, const pplx::cancellation_token_source& cancel,
                          base::SteadyTime deadline, const std::stop_token& stop) const {
    Answer answer;
    answer.status = response.status_code();
    answer.retry_after = retry_after(response.headers());
    auto read_all = read(
        response.body().streambuf(), cancel, stop, [&] { return deadline; },
        [&](std::string_view bytes) -> ApiResult<bool> {
          if (answer.body.size() + bytes.size() > options.max_body) {
            return tl::unexpected(failure(Code::Malformed, "the answer is too large"));
          }
          answer.body += bytes;
          return true;
        });
    if (!read_all) return tl::unexpected(std::move(read_all).error());
    return answer;
  }

  Options options;
  std::shared_ptr<Credentials> credentials;
  std::unique_ptr<web_http::client::http_client> client;
};

Transport::Transport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transport::~Transport() = default;

Result<std::unique_ptr<Transport>> Transport::open(Options options, std::shared_ptr<Credentials> credentials) {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(kPoolThreads);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): something used it before; then it has 40
    }
  });
  auto impl = std::make_unique<Impl>(std::move(options), std::move(credentials));
  const auto server = impl->credentials->access().server;
  try {
    impl->client = std::make_unique<web_http::client::http_client>(web::uri(server), impl->config());
  } catch (const std::exception& e) {
    return Error(Reason::ConfigInvalid, fmt::format("the server \"{}\": {}", server, e.what()));
  }
  return std::unique_ptr<Transport>(new Transport(std::move(impl)));
}

ApiResult<Answer> Transport::send(const Request& request, base::SteadyTime deadline, std::stop_token stop) {
  const pplx::cancellation_token_source cancel;
  try {
    auto response = impl_->begin(request, cancel, deadline, stop);
    if (!response) return tl::unexpected(std::move(response).error());
    return impl_->whole(*response, cancel, deadline, stop);
  } catch (...) {
    return tl::unexpected(thrown());
  }
}

ApiResult<Answer> Transport::stream(const Request& request, base::SteadyTime headers_by, base::Millis idle,
                                    std::stop_token stop, const std::function<bool(std::string_view)>& on_line) {
  const pplx::cancellation_token_source cancel;
  try {
    auto response = impl_->begin(request, cancel, headers_by, stop);
    if (!response) return tl::unexpected(std::move(response).error());
    if (response->status_code() != web_http::status_codes::OK) {
      return impl_->whole(*response, cancel, headers_by, stop);
    }
    std::string rest;
    const auto take = [&](std::string_view bytes) -> ApiResult<bool> {
      rest += bytes;
      std::size_t at = 0;
      for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', at)) {
        if (end > at && !on_line(std::string_view(rest).substr(at, end - at))) {
          rest.clear();
          return false;
        }
        at = end + 1;
      }
      rest.erase(0, at);
      if (rest.size() > impl_->options.max_line) {
        return tl::unexpected(failure(Code::Malformed, "a watch event is too large"));
      }
      return true;
    };
    auto read = Impl::read(
        response->body().streambuf(), cancel, stop, [&] { return base::steady_now() + idle; }, take);
    if (!read) return tl::unexpected(std::move(read).error());
    if (!rest.empty()) return tl::unexpected(failure(Code::Transport, "the stream ended in the middle of a line"));
    return Answer{200, {}, {}};
  } catch (...) {
    return tl::unexpected(thrown());
  }
}

}  // namespace datasync::kube
