#include "agents/base/log.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace datasync::base::log {
namespace {

bool g_json = false;  // set once by init, before threads start

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      break;
  }
  return spdlog::level::err;
}

// Text from outside can hold invalid UTF-8, which must not make a log line throw.
std::string dump(const nlohmann::json& j) {
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json to_json(const Field& f) {
  return std::visit([](const auto& v) { return nlohmann::json(v); }, f.value);
}

}  // namespace

void init(std::string_view component, Level level, Format format) {
  g_json = format == Format::Json || (format == Format::Auto && isatty(STDERR_FILENO) == 0);
  auto logger = spdlog::stderr_color_mt(std::string(component));
  // In JSON lines the payload holds `"msg":...,fields`, already escaped.
  logger->set_pattern(
      g_json ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","component":"%n",%v})" : "%H:%M:%S.%e %^%-5l%$ %n: %v",
      g_json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

bool enabled(Level level) noexcept {
  return spdlog::default_logger_raw()->should_log(to_spdlog(level));
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  std::string line;
  if (g_json) {
    line = "\"msg\":" + dump(std::string(message));
    for (const auto& f : fields) line += fmt::format(",{}:{}", dump(std::string(f.key)), dump(to_json(f)));
  } else {
    line = message;
    for (const auto& f : fields) line += fmt::format(" {}={}", f.key, dump(to_json(f)));
  }
  spdlog::default_logger_raw()->log(to_spdlog(level), line);
}

}  // namespace datasync::base::log
