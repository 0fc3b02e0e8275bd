// Takes the place of datasync-capture and datasync-apply (by the name it is called by) for run_test. The topic's name
// says what it does: streams, completes, differs, dies, stubborn.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string_view>

#include <unistd.h>

#include "agents/base/stop.hpp"
#include "agents/config/config.hpp"
#include "agents/health/server.hpp"
#include "agents/health/supervise.hpp"

namespace {

using namespace datasync;

// What the test looks for in the log: the process, its files, its environment.
void introduce() {
  const auto files = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  const char* mark = std::getenv("DATASYNC_DIE_WITH_PARENT");
  sigset_t blocked;
  sigprocmask(SIG_SETMASK, nullptr, &blocked);
  std::cout << "pid=" << getpid() << " files=" << files - 1 << " mark=" << (mark == nullptr ? "" : mark)
            << " term_blocked=" << sigismember(&blocked, SIGTERM) << std::endl;
}

base::Result<config::Common> read_common(std::string_view agent, const std::string& text) {
  if (agent == "capture") {
    DS_ASSIGN(auto c, config::read_capture(text));
    return c.common;
  }
  DS_ASSIGN(auto a, config::read_apply(text));
  return a.common;
}

std::string detail(std::string_view agent, std::string_view topic, std::uint64_t rows) {
  const auto equal = topic == "differs" ? "false" : "true";
  if (agent == "capture") {
    return R"({"replica":"db-2:3306","position":"0-1-5","rows":)" + std::to_string(rows) + "}";
  }
  return R"({"rows":)" + std::to_string(rows) +
         R"(,"verify":{"id":"v","done":true,"tables":[{"table":"shop.a","equal":)" + equal + "}]}}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view agent = std::string_view(argv[0]).ends_with("capture") ? "capture" : "apply";
  introduce();
  const auto text = config::read_file(argv[2]);
  const auto common = text ? read_common(agent, *text) : base::Result<config::Common>(text.error());
  if (!common) {
    std::cerr << common.error().what << std::endl;
    return 2;
  }
  const auto& topic = common->channel.topic;
  const auto stop = base::stop_on_signals();
  health::Status status({std::string(agent), common->name, "fake"});
  health::Metrics metrics;
  const auto server =
      health::Server::start({common->http_host, common->http_port, common->http_port_file}, status, metrics);
  if (!server) return 2;
  std::atomic<std::uint64_t> rows = 0;
  status.set_detail([&] { return detail(agent, topic, ++rows); });
  health::supervise("fake", status, stop, [&](std::stop_token token) -> base::Result<void> {
    status.set(health::State::Streaming);
    base::sleep_for(token, base::Millis(600));
    if (topic == "completes") return {};
    if (topic == "differs" && agent == "apply") return base::Error(base::Reason::VerifyFailed, "shop.a");
    if (topic == "dies") _exit(7);
    while (base::sleep_for(token, base::Millis(200))) status.advance();
    while (topic == "stubborn") pause();
    return {};
  });
  std::cout << "ended in order" << std::endl;
  return 0;
}
