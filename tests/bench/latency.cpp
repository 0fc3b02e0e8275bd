#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "tests/bench/scenarios.hpp"

namespace datasync::bench {
namespace {

using namespace std::chrono_literals;
constexpr int kPerSecond = 1000;

/// Inserts one row a transaction on a fixed schedule; `sent` is when it was to be sent, so that a stall of the
/// generator counts as latency instead of hiding it.
void send(test::MariaDbServer& source, int seconds) {
  auto session = source.connect();
  const auto start = std::chrono::system_clock::now() + 100ms;
  for (int i = 0; i < seconds * kPerSecond; ++i) {
    const auto when = start + std::chrono::microseconds(1'000'000LL * i / kPerSecond);
    std::this_thread::sleep_until(when);
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
    session.execute(fmt::format("INSERT INTO bench.latency (id, sent) VALUES ({}, FROM_UNIXTIME({}.{:06}))", i + 1,
                                us / 1'000'000, us % 1'000'000));
  }
}

}  // namespace

std::vector<Line> latency(Environment& environment, const Settings& settings) {
  environment.source.execute("CREATE TABLE bench.latency (id INT PRIMARY KEY, sent TIMESTAMP(6) NOT NULL)");
  environment.destination.execute(
      "CREATE TABLE bench.latency (id INT PRIMARY KEY, sent TIMESTAMP(6) NOT NULL, "
      "stored TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))");
  environment.fix_start("latency", {"bench.latency"});
  auto capture = environment.capture("latency", {"bench.latency"});
  auto apply = environment.apply("latency");
  capture.start();
  apply.start();
  capture.wait_for("Streaming", 60s);
  apply.wait_for("Streaming", 60s);
  std::this_thread::sleep_for(2s);  // both idle before the first row
  send(environment.source, settings.latency_seconds);
  wait_applied(apply, environment.source.gtid());
  capture.process().terminate();
  apply.process().terminate();

  std::vector<double> samples;
  // The first second warms statements and connections.
  for (const auto& row : environment.destination.query(
           fmt::format("SELECT TIMESTAMPDIFF(MICROSECOND, sent, stored) FROM bench.latency WHERE id > {}", kPerSecond)))
    samples.push_back(std::stod(row.at(0).value()) / 1000.0);
  if (static_cast<int>(samples.size()) != (settings.latency_seconds - 1) * kPerSecond)
    throw std::runtime_error("rows are missing at the destination, the run has no score");
  const auto one = [](double v) { return Figure{v, v, v}; };
  const auto p50 = percentile(samples, 50);
  const auto p99 = percentile(samples, 99);
  return {
      {"latency at 1000 transactions/s, median", "ms", one(p50), "<= 10", p50 <= 10},
      {"latency, 99th percentile", "ms", one(p99), "<= 50", p99 <= 50},
      {"latency, 99.9th percentile", "ms", one(percentile(samples, 99.9)), "", true},
      {"latency, highest", "ms", one(percentile(samples, 100)), "", true},
  };
}

}  // namespace datasync::bench
