#include "cli/local/agent_process.hpp"

#include <csignal>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <httplib.h>

namespace datasync::cli {
namespace {

constexpr base::Millis kAnswerWithin{300};
constexpr base::Millis kSilence{3'000};    // a longer silence is displayed
constexpr base::Millis kPatience{90'000};  // longer than the agent's own 60 s: after this time the agent is restarted
constexpr base::Millis kMeasureEvery{2'000};

std::optional<std::uint16_t> read_port(const std::filesystem::path& file) {
  std::ifstream in(file);
  unsigned port = 0;
  if (!(in >> port) || port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

std::optional<std::string> get_status(std::uint16_t port) {
  httplib::Client client("127.0.0.1", port);
  client.set_connection_timeout(kAnswerWithin);
  client.set_read_timeout(kAnswerWithin);
  const auto response = client.Get("/status");
  if (!response || response->status != 200) return std::nullopt;
  return response->body;
}

bool works(const std::string& state) {
  return state == "Streaming" || state == "Snapshotting" || state == "Completed";
}

}  // namespace

AgentProcess::AgentProcess(AgentView view, Options options) : view_(std::move(view)), options_(std::move(options)) {}

void AgentProcess::tick(base::SteadyTime now) {
  if (child_) {
    if (const auto how = child_->ended()) {
      ended(*how, now);
    } else {
      ask(now);
    }
  }
  if (!child_ && now >= start_at_) start(now);
}

void AgentProcess::start(base::SteadyTime now) {
  std::error_code ignored;
  std::filesystem::remove(options_.port_file, ignored);  // another program may use the earlier process's port now
  auto child = Child::start({options_.program, {"--config", options_.config_file.string()}, options_.on_line});
  if (started_before_) ++view_.restarts;
  started_before_ = true;
  if (!child) return ended(child.error().what, now);
  child_ = std::move(*child);
  answered_at_ = now;
  view_.state = "Starting";
  view_.reason.clear();
  view_.message.clear();
}

void AgentProcess::ended(const std::string& how, base::SteadyTime now) {
  child_.reset();
  if (works(view_.state)) backoff_.reset();
  const auto wait = backoff_.next();
  start_at_ = now + wait;
  view_.state = "Restarting";
  view_.reason = "AgentEnded";
  view_.message = fmt::format("{}; restarting in {:.1f} s", how, static_cast<double>(wait.count()) / 1000);
  view_.rows_per_second.reset();
}

void AgentProcess::ask(base::SteadyTime now) {
  const auto port = read_port(options_.port_file);
  const auto status = port ? get_status(*port) : std::nullopt;
  if (status && read_status(*status, view_)) {
    answered_at_ = now;
    measure(now);
    if (!view_.live) child_->send(SIGKILL);
    return;
  }
  const auto silence = now - answered_at_;
  if (silence > kPatience) {
    child_->send(SIGKILL);
  } else if (silence > kSilence) {
    view_.state = "NotAnswering";
    view_.rows_per_second.reset();
  }
}

void AgentProcess::measure(base::SteadyTime now) {
  const auto passed = now - measured_at_;
  if (passed < kMeasureEvery) return;
  const bool grows = measured_at_ != base::SteadyTime{} && view_.rows >= measured_rows_;
  const auto seconds = std::chrono::duration<double>(passed).count();
  view_.rows_per_second =
      grows ? std::optional(static_cast<double>(view_.rows - measured_rows_) / seconds) : std::nullopt;
  measured_rows_ = view_.rows;
  measured_at_ = now;
}

void AgentProcess::send(int signal) {
  if (child_) child_->send(signal);
}

bool AgentProcess::running() {
  return child_ && !child_->ended();
}

}  // namespace datasync::cli
