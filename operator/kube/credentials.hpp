#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/base/secret.hpp"
#include "operator/kube/access.hpp"

namespace datasync::kube {

/// What an exec plugin gave.
struct ExecCredential {
  base::Secret token;
  base::Secret certificate;  ///< PEM, with `key`; empty: the token alone
  base::Secret key;
  std::optional<std::chrono::sys_seconds> expires;
};

/// Reads what a plugin printed. Errors: ConfigInvalid saying what is missing, never with the text itself.
base::Result<ExecCredential> parse_exec_credential(std::string_view text);

/// What KUBERNETES_EXEC_INFO says to a plugin.
std::string exec_info(const ExecPlugin& plugin, const Access& access);

/// Runs the plugin; its standard error is this process's, it is killed after `limit`.
/// Errors: CredentialsRejected when it cannot be run or fails, ConfigInvalid for its answer.
base::Result<ExecCredential> run_plugin(const ExecPlugin& plugin, const std::string& info, base::Millis limit);

/// RFC 3339, as the API writes times.
std::optional<std::chrono::sys_seconds> parse_time(std::string_view text);

/// PEM texts for one connection.
struct TlsMaterial {
  base::Secret authority, certificate, key;
  bool skip_verify = false;
};

/// The credentials as they are now: token files are read afresh for every call, a plugin is run when it is needed
/// first, shortly before its credential expires, and after a refusal. Thread-safe; while a plugin runs others wait.
class Credentials {
 public:
  using RunPlugin = std::function<base::Result<ExecCredential>(const ExecPlugin&, const std::string& info)>;
  using Wall = std::function<base::WallTime()>;
  explicit Credentials(Access access, RunPlugin run = {}, Wall wall = base::wall_now);

  /// The bearer token; empty: none.
  base::Result<base::Secret> token();
  base::Result<TlsMaterial> tls();
  /// The server answered 401. True when asking again may give something else.
  bool refused();
  [[nodiscard]] const Access& access() const noexcept { return access_; }

 private:
  base::Result<ExecCredential> from_plugin();

  Access access_;
  RunPlugin run_;
  Wall wall_;
  std::mutex mutex_;
  std::optional<ExecCredential> cached_;
};

}  // namespace datasync::kube
