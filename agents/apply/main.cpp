// datasync-apply --config FILE

#include <optional>

#include "agents/apply/agent.hpp"
#include "agents/destination/engines/engines.hpp"
#include "agents/health/agent_main.hpp"
#include "agents/health/supervise.hpp"

namespace {

using namespace datasync;

int run(const config::Apply& config, const health::Process& process) {
  const auto engine = apply::make_engine(config.engine);
  apply::Process ranked{process.instance};
  const auto code =
      health::supervise("apply", process.status, process.stop, [&](std::stop_token stop) -> base::Result<void> {
        if (!engine) return engine.error();
        return apply::run_agent(config, **engine, ranked, process.status, process.metrics, stop);
      });
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<config::Apply> config;
  const auto read = [&](std::string_view text) -> base::Result<config::Common> {
    DS_ASSIGN(config, config::read_apply(text));
    return config->common;
  };
  return health::agent_main(
      argc, argv,
      {.name = "apply",
       .description = "DataSync apply agent: stores the requested types at the destination, exactly once.",
       .read = read,
       .run = [&](const health::Process& process) { return run(*config, process); }});
}
