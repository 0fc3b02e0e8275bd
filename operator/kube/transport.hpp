#pragma once
// HTTP to the API server. The one file behind this header that knows cpprestsdk; replacing that library means
// replacing transport.cpp.

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "operator/kube/answer.hpp"
#include "operator/kube/api.hpp"
#include "operator/kube/credentials.hpp"

namespace datasync::kube {

struct Request {
  std::string method;
  std::string target;  ///< path and query, below the server's URL
  std::string content_type;
  std::string body;
};

/// Sends requests over kept connections. Thread-safe; blocks the caller only: nothing waits inside the library's pool.
/// Errors of both calls: Timeout, Transport, Stopped, Malformed (too large); Unauthorized when credentials cannot be
/// had.
class Transport {
 public:
  struct Options {
    std::string user_agent;
    base::Millis longest_wait;  ///< no single wait is longer: the library's own time-out is put beyond it
    std::size_t max_body;
    std::size_t max_line;
  };
  /// Errors: ConfigInvalid when the server's address is not a URL.
  static base::Result<std::unique_ptr<Transport>> open(Options options, std::shared_ptr<Credentials> credentials);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// The whole answer by `deadline`.
  ApiResult<Answer> send(const Request& request, base::SteadyTime deadline, std::stop_token stop);
  /// An answer that goes on: each line is given to `on_line` until it returns false. Success with the status when the
  /// stream ended in order after a line's end; a status other than 200 comes with its body and without lines.
  /// `headers_by` bounds the wait for the beginning, `idle` each wait for something after it.
  ApiResult<Answer> stream(const Request& request, base::SteadyTime headers_by, base::Millis idle, std::stop_token stop,
                           const std::function<bool(std::string_view)>& on_line);

 private:
  struct Impl;
  explicit Transport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kube
