#include "agents/health/agent_main.hpp"

#include <CLI/CLI.hpp>

#include "agents/base/log.hpp"
#include "agents/base/program.hpp"
#include "agents/base/stop.hpp"
#include "agents/config/instance.hpp"
#include "agents/health/server.hpp"

namespace datasync::health {
namespace {

base::Result<config::Common> load(const AgentProgram& program, const std::string& file) {
  DS_ASSIGN(const auto text, config::read_file(file));
  return program.read(text);
}

}  // namespace

int agent_main(int argc, const char* const* argv, const AgentProgram& program) {
  if (program.limits_freed_memory) base::limit_freed_memory(true);
  CLI::App app{std::string(program.description)};
  std::string file;
  app.add_option("--config", file, "configuration file (JSON)")->required();
  app.set_version_flag("--version", DATASYNC_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& e) {
    return app.exit(e) == 0 ? 0 : base::kBadConfiguration;
  }
  const auto config = load(program, file);
  if (!config) {
    base::init_log(program.name, "info", "auto");
    base::log::error("the configuration cannot be used",
                     {{"reason", base::to_string(config.error().reason)}, {"error", config.error().what}});
    return base::kBadConfiguration;
  }
  base::init_log(program.name, config->log_level, config->log_format);
  const auto stop = base::stop_on_signals();
  const auto instance = config::instance_of(*config);
  Metrics metrics;
  Status status({std::string(program.name), config->name, instance});
  status.publish(metrics);
  const auto server = Server::start({config->http_host, config->http_port, config->http_port_file}, status, metrics);
  if (!server) {
    base::log::error("the HTTP server cannot be started", {{"error", server.error().what}});
    return base::kBadConfiguration;
  }
  return program.run({instance, status, metrics, stop});
}

}  // namespace datasync::health
