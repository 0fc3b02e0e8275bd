#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "agents/base/clock.hpp"
#include "cli/local/view.hpp"

namespace datasync::cli {

/// Returns the text that replaces `lines_before` lines on the screen with `lines` and leaves the cursor below them.
std::string redraw(std::size_t lines_before, const std::vector<std::string>& lines);

/// Shows agents: on a terminal as a table that is redrawn in place, otherwise as a line for each change of state or
/// reason, and every ten seconds a line for each agent whose figures have changed.
class Screen {
 public:
  enum class Kind : std::uint8_t { Table, Lines };
  Screen(Kind kind, std::FILE* out) : kind_(kind), out_(out) {}
  void show(const std::vector<AgentView>& agents, base::SteadyTime now);

 private:
  void table(const std::vector<AgentView>& agents);
  void lines(const std::vector<AgentView>& agents, base::SteadyTime now);

  struct Said {
    std::string state, reason, gist;
    base::SteadyTime at;
  };
  Kind kind_;
  std::FILE* out_;
  std::size_t drawn_ = 0;
  std::map<std::string, Said> said_;
};

}  // namespace datasync::cli
