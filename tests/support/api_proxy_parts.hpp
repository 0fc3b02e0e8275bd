#pragma once
// The pieces of ApiProxy. Internal to tests/support.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <httplib.h>

#include "tests/support/api_proxy.hpp"

namespace datasync::test {

struct Reply {
  int status = 0;
  std::string type = "application/json";
  std::string retry_after;
  std::string body;
};

/// What a request means: /api/v1 or /apis/GROUP/VERSION, then namespaces/NS or not, then resource, name, subresource.
ApiCall parse_call(const httplib::Request& request);
/// A Status object that reports a failure.
std::string status_object(int code, const std::string& reason);

/// A watch at the server, read by a thread of its own.
struct Upstream {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> chunks;
  int status = 0;  ///< 0: no headers yet
  bool ended = false;
  bool cancelled = false;
  std::unique_ptr<httplib::SSLClient> client;
  std::thread thread;

  void cancel() {
    {
      const std::lock_guard lock(mutex);
      cancelled = true;
    }
    client->stop();
    changed.notify_all();
  }
  ~Upstream() {
    if (!thread.joinable()) return;
    cancel();
    thread.join();
  }
};

/// Begins a watch at the server; an answer other than 200 is returned whole.
std::optional<Reply> begin_watch(Upstream& upstream, std::unique_ptr<httplib::SSLClient> client,
                                 const std::string& target, const httplib::Headers& headers);

}  // namespace datasync::test
