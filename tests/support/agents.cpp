#include "tests/support/agents.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/own_time.hpp"
#include "tests/support/tail.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {

std::filesystem::path built_program(const std::string& name) {
  if (const char* dir = std::getenv("DATASYNC_BIN_DIR"); dir != nullptr && *dir != '\0') {
    return std::filesystem::path(dir) / name;
  }
  const std::filesystem::path build = DATASYNC_TEST_BUILD_DIR;
  for (const char* folder : {"bin", "agents/capture", "agents/apply", "cli"}) {
    if (std::filesystem::exists(build / folder / name)) return build / folder / name;
  }
  throw std::runtime_error(fmt::format("no program {} below {}", name, build.string()));
}

void write_secret(const std::filesystem::path& secrets_dir, const std::string& secret, const std::string& key,
                  const std::string& value) {
  std::filesystem::create_directories(secrets_dir / secret);
  write_file(secrets_dir / secret / key, value);
}

void mount_secret(const std::filesystem::path& secrets_dir, const std::string& secret,
                  const std::map<std::string, std::string>& values) {
  static std::atomic<int> version = 0;
  const auto dir = secrets_dir / secret;
  const auto data = fmt::format("..{}", ++version);
  std::filesystem::create_directories(dir / data);
  for (const auto& [key, value] : values) {
    write_file(dir / data / key, value);
    if (!std::filesystem::is_symlink(dir / key))
      std::filesystem::create_symlink(std::filesystem::path("..data") / key, dir / key);
  }
  std::error_code none;
  const auto old = std::filesystem::read_symlink(dir / "..data", none);
  std::filesystem::create_symlink(data, dir / "..data_tmp");
  std::filesystem::rename(dir / "..data_tmp", dir / "..data");
  if (!none) std::filesystem::remove_all(dir / old);
}

config::Credentials write_credentials(const std::filesystem::path& secrets_dir, const std::string& secret,
                                      const std::string& user, const std::string& password) {
  write_secret(secrets_dir, secret, "username", user);
  write_secret(secrets_dir, secret, "password", password);
  return {{secret, "username"}, {secret, "password"}};
}

std::optional<std::string> AgentStatus::at(const std::string& pointer) const {
  const auto all = nlohmann::json::parse(json, nullptr, false);
  const nlohmann::json::json_pointer where(pointer);
  if (all.is_discarded() || !all.contains(where)) return {};
  const auto& value = all.at(where);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::uint64_t AgentStatus::number(const std::string& pointer) const {
  const auto text = at(pointer);
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

Agent::Agent(const std::filesystem::path& folder, const std::string& name, config::Capture config)
    : name_(name), program_("datasync-capture") {
  prepare(config.common, folder);
  write_file(folder_ / "config.json", config::write(config));
}

Agent::Agent(const std::filesystem::path& folder, const std::string& name, config::Apply config)
    : name_(name), program_("datasync-apply") {
  prepare(config.common, folder);
  write_file(folder_ / "config.json", config::write(config));
}

void Agent::prepare(config::Common& common, const std::filesystem::path& parent) {
  folder_ = parent / name_;
  std::filesystem::create_directories(folder_);
  common.http_host = "127.0.0.1";
  common.http_port = 0;
  common.http_port_file = folder_ / "port";
}

void Agent::start(bool outlives) {
  std::filesystem::remove(folder_ / "port");
  ProcessOptions options;
  options.args = {built_program(program_).string(), "--config", (folder_ / "config.json").string()};
  options.log = folder_ / "log";
  options.outlives = outlives;
  process_ = Process::start(options);
}

void Agent::kill_and_restart() {
  process_.kill();
  start();
}

std::optional<std::string> Agent::get(const std::string& path) {
  const auto port = std::atoi(read_file(folder_ / "port").c_str());
  if (port == 0) return {};
  constexpr std::chrono::seconds kLimit{2};
  OwnTime time(process_.pid());
  for (;;) {
    httplib::Client client("127.0.0.1", port);
    client.set_connection_timeout(1);
    client.set_read_timeout(kLimit);
    const auto answer = client.Get(path);
    if (answer) return answer->body;
    // One that waits for a free CPU is neither frozen nor dead.
    if (answer.error() != httplib::Error::Read || time.has_reached(kLimit)) return {};
  }
}

std::optional<AgentStatus> Agent::status() {
  const auto body = get("/status");
  if (!body) return {};
  const auto all = nlohmann::json::parse(*body, nullptr, false);
  if (!all.is_object()) return {};
  return AgentStatus{all.value("state", ""),
                     all.value("reason", ""),
                     all.value("message", ""),
                     all.value("instance", ""),
                     all.value("epoch", std::uint64_t{0}),
                     *body};
}

double Agent::metric(const std::string& metric_name) {
  std::istringstream lines(get("/metrics").value_or(""));
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto end = line.find_first_of("{ ");
    if (end == std::string::npos || line.substr(0, end) != metric_name) continue;
    sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sum;
}

AgentStatus Agent::wait_for(const std::string& state, milliseconds limit, const std::string& reason) {
  std::optional<AgentStatus> last;
  const bool there = eventually(
      [&] {
        if (auto now = status()) last = std::move(now);
        return last && last->state == state && (reason.empty() || last->reason == reason);
      },
      limit);
  if (there) return *last;
  throw std::runtime_error(fmt::format("{} is not {} {}; last status: {}\n{}", name_, state, reason,
                                       last ? last->json : "none", log_tail()));
}

std::string Agent::log() const {
  return read_file(folder_ / "log");
}

std::string Agent::log_tail() const {
  return tail_of(folder_ / "log", 4000);
}

}  // namespace datasync::test
