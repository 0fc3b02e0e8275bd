#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"
#include "cli/local/child.hpp"
#include "cli/local/view.hpp"

namespace datasync::cli {

/// Keeps one agent running: starts it, restarts it with back-off when it terminates or makes no progress, and polls its
/// status. Everything happens in `tick`, on the main thread.
class AgentProcess {
 public:
  struct Options {
    std::filesystem::path program;
    std::filesystem::path config_file;
    std::filesystem::path port_file;  ///< as in the configuration
    std::function<void(std::string_view)> on_line;
  };
  AgentProcess(AgentView view, Options options);

  /// Makes one step; it never waits longer than the time limit of the agent's response (0.3 s).
  void tick(base::SteadyTime now);
  /// Sends a signal to the agent, if it runs.
  void send(int signal);
  [[nodiscard]] bool running();
  [[nodiscard]] const AgentView& view() const noexcept { return view_; }

 private:
  void start(base::SteadyTime now);
  void ended(const std::string& how, base::SteadyTime now);
  void ask(base::SteadyTime now);
  void measure(base::SteadyTime now);

  AgentView view_;
  Options options_;
  std::unique_ptr<Child> child_;
  base::Backoff backoff_{base::Millis(200), base::Millis(10'000)};
  base::SteadyTime start_at_{};     ///< the earliest time of the next start
  base::SteadyTime answered_at_{};  ///< time of the last response, or of the start
  base::SteadyTime measured_at_{};
  std::uint64_t measured_rows_ = 0;
  bool started_before_ = false;
};

}  // namespace datasync::cli
