#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "agents/base/clock.hpp"
#include "cli/local/view.hpp"

namespace datasync::cli {

/// What to write so that `lines` stand where `lines_before` lines stood, the cursor below them.
std::string redraw(std::size_t lines_before, const std::vector<std::string>& lines);

/// Shows agents: a table redrawn in place on a terminal, or a line for each change of state or reason, and for each
/// agent whose figures moved, every ten seconds.
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
