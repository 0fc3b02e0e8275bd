#pragma once
// What SchemaChaos knows of the script that it runs.

#include <map>
#include <string>
#include <vector>

#include "agents/base/clock.hpp"
#include "tests/integration/schema_chaos.hpp"

namespace datasync::test {

/// Of the tables that a script starts with.
inline const std::string kChaosBody =
    "(id INT PRIMARY KEY AUTO_INCREMENT, n INT NULL, v VARCHAR(40) NULL, secret VARCHAR(20) NULL)";

struct SchemaChaos::Run {
  /// What an agent asks for, and since when it is seen.
  struct Asked {
    AgentStatus status;
    base::SteadyTime since;
    base::SteadyTime acted = {};  ///< when it was followed last; at first never
  };

  std::string database;
  config::Capture capture;
  config::Apply apply;
  std::vector<Session> sessions;
  std::vector<std::string> charsets;  ///< of the sessions
  bool frozen = false;
  int actions = 0;
  std::int64_t marks = 0;
  std::map<std::string, Asked> asked;  ///< by agent and text
  std::string no_way_on;
  CompareResult compared;

  [[nodiscard]] std::string mark() const { return quote_name(database) + ".mark"; }
};

}  // namespace datasync::test
