#include "operator/reconcile/agent_query.hpp"

#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

namespace datasync::reconcile {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Error = boost::system::error_code;

constexpr std::uint32_t kLongestHeader = 8 * 1024;
constexpr std::size_t kMostBuffered = 64 * 1024;

/// One question; its steps run on the caller's thread, within `run`.
class Question {
 public:
  Question(const asio::ip::address& host, std::size_t longest) : stream_(context_), buffer_(kMostBuffered) {
    parser_.header_limit(kLongestHeader);
    parser_.body_limit(longest);
    request_.method(http::verb::get);
    request_.target("/status");
    request_.version(11);
    request_.set(http::field::host, host.is_v6() ? fmt::format("[{}]", host.to_string()) : host.to_string());
    request_.keep_alive(false);
  }

  StatusAnswer run(const asio::ip::tcp::endpoint& to, base::Millis connect, base::Millis answer) {
    stream_.expires_after(connect);
    stream_.async_connect(to, [this, answer](Error error) {
      if (!done("connection failed", error)) ask(answer);
    });
    context_.run_for(connect + answer);  // the steps end by themselves; this bounds them together
    if (!ended_) return {{}, "/status: no answer in time"};
    if (!error_.empty()) return {{}, error_};
    if (parser_.get().result_int() != 200) return {{}, fmt::format("/status: HTTP {}", parser_.get().result_int())};
    return {std::move(parser_.get().body()), {}};
  }

 private:
  void ask(base::Millis answer) {
    stream_.expires_after(answer);
    http::async_write(stream_, request_, [this](Error error, std::size_t) {
      if (!done("the request was not accepted", error)) read();
    });
  }
  void read() {
    http::async_read(stream_, buffer_, parser_, [this](Error error, std::size_t) {
      if (!done("no complete answer", error)) ended_ = true;
    });
  }
  /// True when it ends here.
  bool done(const char* what, Error error) {
    if (!error) return false;
    ended_ = true;
    error_ = fmt::format("/status: {}: {}", what, error.message());
    return true;
  }

  asio::io_context context_{1};
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
  bool ended_ = false;
  std::string error_;
};

}  // namespace

StatusAnswer ask_status(const std::string& host, std::uint16_t port, base::Millis connect, base::Millis answer,
                        std::size_t longest) {
  Error error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return {{}, "/status: the pod's address is not an IP address"};
  return Question(address, longest).run({address, port}, connect, answer);
}

}  // namespace datasync::reconcile
