#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "agents/config/config.hpp"
#include "tests/support/process.hpp"

namespace datasync::test {

/// A program of this build, e.g. "datasync-capture": in $DATASYNC_BIN_DIR when set, else in the build tree. Throws
/// naming where it looked.
std::filesystem::path built_program(const std::string& name);

/// Writes the file DIR/secret/key, as Kubernetes mounts secrets.
void write_secret(const std::filesystem::path& secrets_dir, const std::string& secret, const std::string& key,
                  const std::string& value);
/// Writes all keys of a secret as a kubelet mounts it: DIR/secret/KEY leads through the link ..data, and replacing the
/// secret moves that link, so that all keys change at once.
void mount_secret(const std::filesystem::path& secrets_dir, const std::string& secret,
                  const std::map<std::string, std::string>& values);
/// A user's secret (keys username and password) and where an agent finds it.
config::Credentials write_credentials(const std::filesystem::path& secrets_dir, const std::string& secret,
                                      const std::string& user, const std::string& password);

/// What an agent reports at /status.
struct AgentStatus {
  std::string state, reason, message, instance;
  std::uint64_t epoch = 0;
  std::string json;  ///< all of it
  /// A value by JSON pointer ("/replica/host") as text; nothing when it is not there.
  [[nodiscard]] std::optional<std::string> at(const std::string& pointer) const;
  [[nodiscard]] std::uint64_t number(const std::string& pointer) const;  ///< 0 when it is not there
};

/// A capture or apply agent as a process. Its configuration, log and port file lie in `folder`/NAME. Several instances
/// of one task need different names. Killed by the destructor. One thread at a time.
class Agent {
 public:
  /// `config` without http fields: this fills them in. Does not start it.
  Agent(const std::filesystem::path& folder, const std::string& name, config::Capture config);
  Agent(const std::filesystem::path& folder, const std::string& name, config::Apply config);

  void start(bool outlives = false);
  /// kill -9, and start again.
  void kill_and_restart();
  [[nodiscard]] Process& process() noexcept { return process_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Nothing while it does not answer (starting, frozen, dead).
  [[nodiscard]] std::optional<AgentStatus> status();
  /// The body of another page: "/metrics".
  [[nodiscard]] std::optional<std::string> get(const std::string& path);
  /// One figure of /metrics, all labels summed; 0 when it is not there.
  [[nodiscard]] double metric(const std::string& metric_name);
  /// Waits for a state (and reason, if given); throws with the last status and the log when it does not come.
  AgentStatus wait_for(const std::string& state, milliseconds limit, const std::string& reason = "");
  [[nodiscard]] std::string log_tail() const;
  [[nodiscard]] std::string log() const;  ///< all of it, also of former processes

 private:
  void prepare(config::Common& common, const std::filesystem::path& parent);

  std::string name_, program_;
  std::filesystem::path folder_;
  Process process_;
};

}  // namespace datasync::test
