#include "agents/capture/replica/verdict.hpp"

#include <fmt/format.h>

namespace datasync::capture {

base::Result<void> verdict(const std::string& server, const std::vector<Finding>& findings) {
  if (findings.empty()) return {};
  auto reason = findings.front().reason;
  std::string text;
  for (const auto& f : findings) {
    if (f.reason != reason) reason = base::Reason::PreflightFailed;
    text += fmt::format("{}{}: {}. Fix: {}", text.empty() ? "" : "\n", server, f.what, f.fix);
  }
  return base::Error(reason, text);
}

}  // namespace datasync::capture
