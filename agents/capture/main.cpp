// datasync-capture --config FILE

#include <optional>

#include "agents/base/log.hpp"
#include "agents/base/program.hpp"
#include "agents/capture/agent.hpp"
#include "agents/capture/plan/memory.hpp"
#include "agents/health/agent_main.hpp"
#include "agents/health/supervise.hpp"
#include "agents/source/engines/engines.hpp"

namespace {

using namespace datasync;

int run(const config::Capture& config, const health::Process& process) {
  const auto engine = source::make_engine(config, capture::largest_event());
  if (!engine) {
    base::log::error("the configuration cannot be used", {{"error", engine.error().what}});
    return base::kBadConfiguration;
  }
  auto agent = capture::Agent::make(config, **engine, process.status, process.metrics, process.instance);
  if (!agent) {
    base::log::error("the configuration cannot be used", {{"error", agent.error().what}});
    return base::kBadConfiguration;
  }
  health::Patience patience;
  patience.spent = [&] { return (*agent)->produced_bytes(); };
  patience.work_again = [&](std::stop_token s) { return (*agent)->asked_again(std::move(s)); };
  const auto code = health::supervise(
      "capture", process.status, process.stop, [&](std::stop_token s) { return (*agent)->run_once(std::move(s)); },
      std::move(patience));
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<config::Capture> config;
  const auto read = [&](std::string_view text) -> base::Result<config::Common> {
    DS_ASSIGN(config, config::read_capture(text));
    return config->common;
  };
  return health::agent_main(
      argc, argv,
      {.name = "capture",
       .description = "DataSync capture agent: reads the changes of chosen tables from a replica and "
                      "publishes them on a Kafka topic.",
       .limits_freed_memory = true,
       .read = read,
       .run = [&](const health::Process& process) { return run(*config, process); }});
}
