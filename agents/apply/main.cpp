// datasync-apply --config FILE

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agents/apply/agent.hpp"
#include "agents/base/log.hpp"
#include "agents/base/stop.hpp"
#include "agents/config/config.hpp"
#include "agents/config/instance.hpp"
#include "agents/health/server.hpp"
#include "agents/health/supervise.hpp"

namespace datasync::apply {
namespace {

constexpr int kBadConfig = 2;

base::log::Level level_of(const std::string& name) {
  if (name == "debug") return base::log::Level::Debug;
  if (name == "warn") return base::log::Level::Warn;
  if (name == "error") return base::log::Level::Error;
  return base::log::Level::Info;
}

base::log::Format format_of(const std::string& name) {
  if (name == "json") return base::log::Format::Json;
  if (name == "text") return base::log::Format::Text;
  return base::log::Format::Auto;
}

base::Result<config::Apply> load(const std::string& file) {
  DS_ASSIGN(const auto text, config::read_file(file));
  return config::read_apply(text);
}

int run(const config::Apply& config, std::stop_token stop) {
  base::log::init("apply", level_of(config.common.log_level), format_of(config.common.log_format));
  Process process{config::instance_of(config.common)};
  health::Metrics metrics;
  health::Status status({"apply", config.common.name, process.instance});
  status.publish(metrics);
  const auto server = health::Server::start(
      {config.common.http_host, config.common.http_port, config.common.http_port_file}, status, metrics);
  if (!server) {
    base::log::error("cannot serve", {{"message", std::string_view(server.error().what)}});
    return kBadConfig;
  }
  const auto code = health::supervise(
      "apply", status, stop, [&](std::stop_token s) { return run_agent(config, process, status, metrics, s); });
  return static_cast<int>(code);
}

}  // namespace
}  // namespace datasync::apply

int main(int argc, char** argv) {
  using namespace datasync;
  CLI::App app{"DataSync apply agent: stores the selected types at the destination, exactly once."};
  std::string file;
  app.add_option("--config", file, "configuration file (JSON)")->required();
  app.set_version_flag("--version", DATASYNC_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& e) {
    return app.exit(e) == 0 ? 0 : apply::kBadConfig;
  }
  const auto config = apply::load(file);
  if (!config) {
    fmt::print(stderr, "{}: {}\n", base::to_string(config.error().reason), config.error().what);
    return apply::kBadConfig;
  }
  return apply::run(*config, base::stop_on_signals());
}
