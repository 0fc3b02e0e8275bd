#pragma once
// Child processes of tests, the demo and benchmarks. Nothing started here outlives the program that started it, however
// that program ends (PR_SET_PDEATHSIG), unless it is asked to.
//
// Everything in tests/support throws std::runtime_error when it cannot do what it promises: a test whose environment
// cannot be set up has failed.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace datasync::test {

using std::chrono::milliseconds;

struct ProcessOptions {
  std::vector<std::string> args;           ///< args[0] is the program: a path, or a name looked up in PATH
  std::map<std::string, std::string> env;  ///< added to, or replacing, this process's environment
  std::filesystem::path log;               ///< stdout and stderr are appended here; empty: /dev/null
  std::filesystem::path working_dir;       ///< empty: this process's
  bool outlives = false;                   ///< continues when this program ends (the demo's KEEP=1)
};

/// How a process ended: by `exit(code)`, or killed by a signal.
struct Exit {
  int code = 0;
  int signal = 0;
  [[nodiscard]] bool clean() const noexcept { return code == 0 && signal == 0; }
  [[nodiscard]] std::string text() const;
};

/// One child in a process group of its own; it inherits no file but its log. The destructor kills it (SIGKILL) by its
/// own id and reaps it. Movable; one thread at a time.
class Process {
 public:
  Process() = default;
  /// Takes over a child of this process that is not yet reaped.
  explicit Process(pid_t pid) noexcept : pid_(pid) {}
  /// Starts the child. Throws when the program cannot be executed.
  static Process start(const ProcessOptions& options);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }  ///< 0: never started
  /// False once the child has ended; a stopped (SIGSTOP) child is running.
  [[nodiscard]] bool is_running();
  /// How it ended; nothing while it runs or if it never started.
  [[nodiscard]] std::optional<Exit> exit_status();
  /// Waits for the end; nothing if it still runs after `limit` of its own time (OwnTime).
  std::optional<Exit> wait(milliseconds limit);

  void send(int signal) const;  ///< no effect on a child that has ended
  void freeze() const { send(SIGSTOP); }
  void thaw() const { send(SIGCONT); }
  /// kill -9, and reaps: when it returns, the child's ports and locks are free.
  void kill();
  /// SIGTERM, then SIGKILL after `grace` of its own time. Returns how it ended.
  Exit terminate(milliseconds grace = milliseconds(10000));
  /// Lets go of the child without ending it (KEEP=1).
  pid_t release() noexcept;

  /// Resident memory now, and the highest so far, in bytes (VmRSS, VmHWM); 0 once it has ended.
  [[nodiscard]] std::uint64_t resident_bytes() const;
  [[nodiscard]] std::uint64_t peak_resident_bytes() const;
  /// User and system time used so far; counts threads, not children.
  [[nodiscard]] milliseconds cpu_time() const;

 private:
  pid_t pid_ = 0;
  std::optional<Exit> exit_;
};

/// Runs a command to its end and returns its standard output; throws with its standard error and `input`'s first line
/// when it fails or takes longer than `limit` of its own time.
std::string run(const std::vector<std::string>& args, const std::string& input = "",
                milliseconds limit = milliseconds(120000));

}  // namespace datasync::test
