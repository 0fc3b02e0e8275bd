#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/api_server.hpp"

namespace datasync::test {

/// One call that came through the proxy.
struct ApiCall {
  std::size_t number = 0;  ///< from 1, in the order they came
  std::string verb;        ///< get, list, watch, create, apply, patch, update, delete
  std::string path;        ///< without the query
  std::string query;
  std::string resource;  ///< plural, e.g. deployments
  std::string ns, name, subresource;
  std::string body;
  int status = 0;         ///< what the client got; 0: not yet, or nothing
  int server_status = 0;  ///< what the server said; 0: it was not asked
  [[nodiscard]] bool is_write() const { return verb != "get" && verb != "list" && verb != "watch"; }
  [[nodiscard]] bool committed() const { return is_write() && server_status >= 200 && server_status < 300; }
  [[nodiscard]] std::string text() const;  ///< "apply deployments ns/name 200"
};

/// What the proxy does to a call.
struct Fault {
  enum class Kind : std::uint8_t {
    None,
    Answer,             ///< `status` as a Status object with `reason` and Retry-After; the server is not asked
    AnswerAfterCommit,  ///< the same, but the server has done what was asked
    Reset,              ///< the connection is closed without an answer; the server is not asked
    ResetAfterCommit,   ///< closed without an answer, but the server has done what was asked
    Silence,            ///< of a watch: it begins and nothing ever comes, not even a bookmark
    GoneEvent,          ///< of a watch: it begins with an ERROR event with code 410
    CutLine,            ///< of a watch: broken off in the middle of the first event
    PastList,           ///< of a list: the answer kept by remember_lists(), if there is one
  };
  Kind kind = Kind::None;
  int status = 0;
  std::string reason;
  int retry_after_s = 0;

  static Fault none() { return {}; }
  static Fault answer(int status, std::string reason, int retry_after_s = 0) {
    return {Kind::Answer, status, std::move(reason), retry_after_s};
  }
  static Fault of(Kind kind) { return {kind, 0, {}, 0}; }
};

/// An HTTP proxy in the test process between a client (plain HTTP on 127.0.0.1) and an API server, with the
/// administrator's certificate or another user's. It knows what the calls mean, counts them and makes them fail. Hooks
/// run on the proxy's threads, several at once. Every call here may come from any thread.
class ApiProxy {
 public:
  /// `user`: a name for ApiServer::kubeconfig_of, called before; empty: the administrator. Throws when it cannot
  /// listen.
  explicit ApiProxy(const ApiServer& server, const std::string& user = "", PortLease lease = PortLease());
  ~ApiProxy();
  ApiProxy(const ApiProxy&) = delete;
  ApiProxy& operator=(const ApiProxy&) = delete;

  [[nodiscard]] std::string url() const;
  /// A kubeconfig that leads here, without credentials.
  [[nodiscard]] std::filesystem::path kubeconfig() const;

  /// Asked for every call before it goes to the server. One hook; the next replaces it.
  void on_call(std::function<Fault(const ApiCall&)> hook);
  /// After a write that the server has committed, `n` from 1 since the last `reset`: before its answer goes to the
  /// client, or after it has gone. The place to kill a client.
  using WriteHook = std::function<void(const ApiCall&, std::size_t n)>;
  void before_answer(WriteHook hook);
  void after_answer(WriteHook hook);
  /// Calls from now on get no answer at all until this is undone.
  void hold(bool on);

  /// Keeps the answers to lists as they are from now on; Fault::PastList gives them again.
  void remember_lists();
  /// Ends all watches that run, in order, as the server does when their time is up.
  void end_watches();

  [[nodiscard]] std::vector<ApiCall> calls() const;
  [[nodiscard]] std::size_t count(const std::function<bool(const ApiCall&)>& which) const;
  [[nodiscard]] std::size_t count(const std::string& verb, const std::string& resource = "") const;
  [[nodiscard]] std::size_t writes() const;  ///< that were asked for, whatever came of them
  [[nodiscard]] std::size_t watches_now() const;
  /// Forgets the calls counted so far and all hooks.
  void reset();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace datasync::test
