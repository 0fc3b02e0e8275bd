// datasync-bench: DataSync beside what the machine and the servers can do, in one run, as ratios with their spread.

#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tests/bench/scenarios.hpp"

namespace {

using namespace datasync::bench;

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

double memory_gib() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  double kib = 0;
  in >> word >> kib;
  return kib / (1U << 20U);
}

std::string today() {
  const auto now = std::time(nullptr);
  std::string out(10, ' ');
  std::strftime(out.data(), out.size() + 1, "%Y-%m-%d", std::gmtime(&now));
  return out;
}

std::string number(double v) {
  return v >= 1000 ? fmt::format("{:.0f}", v) : v >= 10 ? fmt::format("{:.1f}", v) : fmt::format("{:.2f}", v);
}

void print(const std::vector<Line>& lines, const Settings& s) {
  fmt::print(
      "Machine: {}, {} cores, {:.0f} GiB. Date: {}. Blocks: {}; the figure is their median, then lowest and highest.\n",
      cpu_model(), std::thread::hardware_concurrency(), memory_gib(), today(), s.blocks);
  fmt::print("Bulk: {} rows of 4 columns, 1000 a transaction. oltp: {} transactions of 4 row changes a block.\n\n",
             s.bulk_rows, s.oltp_transactions);
  fmt::print(
      "| what | unit | median | lowest | highest | target | met |\n| --- | --- | --- | --- | --- | --- | --- |\n");
  for (const auto& l : lines)
    fmt::print("| {} | {} | {} | {} | {} | {} | {} |\n", l.what, l.unit, number(l.value.median), number(l.value.low),
               number(l.value.high), l.target,
               l.target.empty() ? ""
               : l.met          ? "yes"
                                : "no");
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  std::string only;
  CLI::App app("Benchmarks of DataSync. Everything runs on this machine, on loopback.");
  app.add_option("--rows", settings.bulk_rows, "rows of the bulk backlog");
  app.add_option("--transactions", settings.oltp_transactions, "transactions of an oltp block");
  app.add_option("--blocks", settings.blocks, "repetitions")->check(CLI::Range(1, 100));
  app.add_option("--seconds", settings.latency_seconds, "length of the latency run")->check(CLI::Range(2, 600));
  app.add_option("--only", only, "bulk, oltp or latency");
  CLI11_PARSE(app, argc, argv);
  try {
    Environment environment;
    std::vector<Line> lines;
    const auto add = [&](const char* name, auto scenario) {
      if (!only.empty() && only != name) return;
      for (auto& l : scenario(environment, settings)) lines.push_back(std::move(l));
    };
    add("latency", latency);
    add("bulk", bulk);
    add("oltp", oltp);
    print(lines, settings);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench: {}\n", e.what());
    return 1;
  }
  return 0;
}
