// make demo: real servers, real faults, and at the end the comparison. The last line of the output says how it went.

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "agents/base/stop.hpp"
#include "tests/demo/console.hpp"
#include "tests/demo/environment.hpp"
#include "tests/demo/steps.hpp"

namespace datasync::demo {
namespace {

int seconds_of_traffic() {
  const char* text = std::getenv("DEMO_SECONDS");
  const int seconds = text != nullptr ? std::atoi(text) : 0;
  return seconds > 0 ? seconds : 60;
}

bool keep_running() {
  const char* text = std::getenv("KEEP");
  return text != nullptr && *text != '\0' && std::string_view(text) != "0";
}

std::string figures(const Outcome& o) {
  return fmt::format("source_rows={} destination_rows={} equal={} lost={} duplicated={} kills={} failovers={}",
                     o.rows.source_rows, o.rows.destination_rows, o.compared && o.rows.equal() ? "yes" : "no",
                     o.rows.lost, o.rows.duplicated, o.kills, o.failovers);
}

/// What the agents said last, for whoever looks for the cause.
void print_logs(const Environment& environment) {
  for (const auto& agent : environment.agents) fmt::print("--- log of {}\n{}\n", agent->name(), agent->log_tail());
}

void run(const Console& console, Outcome& outcome) {
  std::unique_ptr<Environment> environment;
  try {
    environment = std::make_unique<Environment>(console, keep_running());
    run_steps(*environment, console, std::chrono::seconds(seconds_of_traffic()), outcome);
  } catch (const std::exception& error) {
    outcome.wrong = error.what();
    if (environment) print_logs(*environment);
  }
  if (environment && environment->keep) {
    environment->leave();
  } else {
    console.print("stopping everything and removing the folder");
  }
}

}  // namespace
}  // namespace datasync::demo

int main() {
  const datasync::demo::Console console(datasync::base::stop_on_signals());
  datasync::demo::Outcome outcome;
  datasync::demo::run(console, outcome);
  if (outcome.wrong.empty()) {
    fmt::print("demo: OK {}\n", datasync::demo::figures(outcome));
    return EXIT_SUCCESS;
  }
  std::string reason = outcome.wrong.substr(0, outcome.wrong.find('\n'));
  if (outcome.wrong.size() > reason.size()) fmt::print("{}\n", outcome.wrong);
  fmt::print("demo: FAILED {} {}\n", reason, datasync::demo::figures(outcome));
  return EXIT_FAILURE;
}
