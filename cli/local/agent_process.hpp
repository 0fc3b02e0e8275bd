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

/// Keeps one agent running: starts it, starts it again with back-off when it ends or does not move any more, and asks
/// it how it is. All by `tick`, from the main thread.
class AgentProcess {
 public:
  struct Options {
    std::filesystem::path program;
    std::filesystem::path config_file;
    std::filesystem::path port_file;  ///< as the configuration says
    std::function<void(std::string_view)> on_line;
  };
  AgentProcess(AgentView view, Options options);

  /// One step: never waits longer than the agent's answer may take (0.3 s).
  void tick(base::SteadyTime now);
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
  base::SteadyTime start_at_{};     ///< not before
  base::SteadyTime answered_at_{};  ///< or when it was started
  base::SteadyTime measured_at_{};
  std::uint64_t measured_rows_ = 0;
  bool started_before_ = false;
};

}  // namespace datasync::cli
