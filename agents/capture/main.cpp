// datasync-capture --config FILE

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "agents/base/log.hpp"
#include "agents/base/stop.hpp"
#include "agents/capture/agent.hpp"
#include "agents/config/config.hpp"
#include "agents/config/instance.hpp"
#include "agents/health/metrics.hpp"
#include "agents/health/server.hpp"
#include "agents/health/status.hpp"
#include "agents/health/supervise.hpp"

namespace {

using namespace datasync;

constexpr int kBadConfig = 2;
constexpr int kArenas = 2;           // more arenas keep more freed memory each
constexpr int kTrimBytes = 1 << 20;  // give back to the system what is free at the top
constexpr int kMapBytes = 1 << 20;   // larger blocks come from the system and go back at once

int run(const config::Capture& config) {
  const auto stop = base::stop_on_signals();
  const auto instance = config::instance_of(config.common);
  health::Status status({"capture", config.common.name, instance});
  health::Metrics metrics;
  status.publish(metrics);
  const auto server = health::Server::start(
      {config.common.http_host, config.common.http_port, config.common.http_port_file}, status, metrics);
  if (!server) {
    base::log::error("the HTTP server does not start", {{"error", server.error().what}});
    return kBadConfig;
  }
  auto agent = capture::Agent::make(config, status, metrics, instance);
  if (!agent) {
    base::log::error("the configuration cannot be used", {{"error", agent.error().what}});
    return kBadConfig;
  }
  health::Patience patience;
  patience.spent = [&] { return (*agent)->produced_bytes(); };
  patience.work_again = [&](std::stop_token s) { return (*agent)->asked_again(std::move(s)); };
  const auto code = health::supervise(
      "capture", status, stop, [&](std::stop_token s) { return (*agent)->run_once(std::move(s)); },
      std::move(patience));
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_TRIM_THRESHOLD, kTrimBytes);
  mallopt(M_MMAP_THRESHOLD, kMapBytes);
  CLI::App app("Reads the changes of chosen tables from a replica and puts them on a Kafka topic.");
  std::string file;
  app.add_option("--config", file, "configuration file (JSON)")->required()->check(CLI::ExistingFile);
  app.set_version_flag("--version", DATASYNC_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& e) {
    return app.exit(e) == 0 ? 0 : kBadConfig;
  }
  const auto text = config::read_file(file);
  const auto config = text ? config::read_capture(*text) : base::Result<config::Capture>(text.error());
  if (!config) {
    base::log::init("capture", base::log::Level::Info, base::log::Format::Auto);
    base::log::error("the configuration cannot be read", {{"error", config.error().what}});
    return kBadConfig;
  }
  using Level = base::log::Level;
  using Format = base::log::Format;
  const auto& c = config->common;
  const auto level = c.log_level == "debug"   ? Level::Debug
                     : c.log_level == "warn"  ? Level::Warn
                     : c.log_level == "error" ? Level::Error
                                              : Level::Info;
  base::log::init("capture", level,
                  c.log_format == "json"   ? Format::Json
                  : c.log_format == "text" ? Format::Text
                                           : Format::Auto);
  return run(*config);
}
