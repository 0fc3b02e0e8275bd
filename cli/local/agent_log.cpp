#include "cli/local/agent_log.hpp"

#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace datasync::cli {

AgentLog::AgentLog(std::filesystem::path file, std::string prefix, std::size_t rotate_at)
    : file_(std::move(file)), prefix_(std::move(prefix)), rotate_at_(rotate_at) {
  open();
}

void AgentLog::open() {
  out_.reset(std::fopen(file_.c_str(), "ae"));
  std::error_code error;
  const auto size = std::filesystem::file_size(file_, error);
  written_ = error ? 0 : static_cast<std::size_t>(size);
}

void AgentLog::line(std::string_view text) {
  // The screen already shows changes of state.
  const bool told = text.find(": state changed state=") != text.npos;
  if (!prefix_.empty() && !told) fmt::print(stderr, "{}{}\n", prefix_, text);
  if (!out_) return;
  fmt::print(out_.get(), "{}\n", text);
  std::fflush(out_.get());
  written_ += text.size() + 1;
  if (written_ < rotate_at_) return;
  out_.reset();
  std::error_code ignored;
  std::filesystem::rename(file_, file_.string() + ".1", ignored);
  open();
}

}  // namespace datasync::cli
