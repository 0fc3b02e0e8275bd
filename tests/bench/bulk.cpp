#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "tests/bench/limits.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/scenarios.hpp"

namespace datasync::bench {
namespace {

constexpr std::uint64_t kRowsPerStatement = 1000;

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Measured {
  double seconds = 0;
  double cpu_seconds = 0;
  double peak_mib = 0;
};

/// `seen`: rows already moved when the clock started; the time is scaled to all rows.
Measured finish(test::Agent& agent, double seconds, double seen, double rows) {
  seconds *= rows / (rows - seen);
  Measured m{seconds, static_cast<double>(agent.process().cpu_time().count()) / 1000.0,
             static_cast<double>(agent.process().peak_resident_bytes()) / (1U << 20U)};
  agent.process().terminate();
  return m;
}

Measured run_capture(Environment& environment, const std::string& topic, const std::string& to, double rows) {
  auto agent = environment.capture(topic, {"bench.sbtest1"});
  agent.start();
  const auto seen = wait_first_row(agent);
  const auto start = std::chrono::steady_clock::now();
  wait_captured(agent, to);
  return finish(agent, since(start), seen, rows);
}

Measured run_apply(Environment& environment, const std::string& topic, const std::string& to, double rows) {
  environment.destination.execute("DROP TABLE IF EXISTS bench.sbtest1");
  environment.destination.execute("CREATE TABLE bench.sbtest1 " + row_table());
  auto agent = environment.apply(topic);
  agent.start();
  const auto seen = wait_first_row(agent);
  const auto start = std::chrono::steady_clock::now();
  wait_applied(agent, to);
  return finish(agent, since(start), seen, rows);
}

}  // namespace

std::vector<Line> bulk(Environment& environment, const Settings& settings) {
  const auto rows = static_cast<double>(settings.bulk_rows);
  environment.source.execute("CREATE TABLE bench.sbtest1 " + row_table());
  for (int b = 0; b <= settings.blocks; ++b) environment.fix_start(fmt::format("bulk-{}", b), {"bench.sbtest1"});
  const auto from = environment.source.gtid();
  for (std::uint64_t id = 1; id <= settings.bulk_rows; id += kRowsPerStatement)
    environment.source.execute("INSERT INTO bench.sbtest1 VALUES " +
                               row_values(id, std::min(settings.bulk_rows, id + kRowsPerStatement - 1)));
  const auto to = environment.source.gtid();

  run_capture(environment, "bulk-0", to, rows);  // warms the page cache; its records are what raw_produce sends
  const auto records = read_topic(environment.broker, "bulk-0");
  std::vector<double> capture_ratio, capture_rate, dump_rate, produce_rate, capture_cpu, capture_mib;
  std::vector<double> apply_ratio, apply_rate, upsert_rate, apply_cpu, apply_mib;
  for (int b = 1; b <= settings.blocks; ++b) {
    const auto topic = fmt::format("bulk-{}", b);
    const auto dump = raw_dump(environment.source, from, to);
    const auto ours = run_capture(environment, topic, to, rows);
    const auto produce = raw_produce(environment.broker, fmt::format("raw-{}", b), records);
    capture_ratio.push_back(std::max(dump.seconds, produce.seconds) / ours.seconds);
    capture_rate.push_back(rows / ours.seconds);
    dump_rate.push_back(rows / dump.seconds);
    produce_rate.push_back(rows / produce.seconds);
    capture_cpu.push_back(ours.cpu_seconds / rows * 1e6);
    capture_mib.push_back(ours.peak_mib);
    fmt::print(stderr, "bulk block {}: dump {:.2f} s, capture {:.2f} s, produce {:.2f} s\n", b, dump.seconds,
               ours.seconds, produce.seconds);

    const auto applied = run_apply(environment, topic, to, rows);
    expect_equal(environment.source, environment.destination, "bench.sbtest1");
    environment.destination.execute("CREATE OR REPLACE TABLE bench.raw " + row_table());
    const auto upserts = raw_upserts(environment.destination, "bench.raw", settings.bulk_rows);
    environment.destination.execute("DROP TABLE bench.raw");
    apply_ratio.push_back(upserts.seconds / applied.seconds);
    apply_rate.push_back(rows / applied.seconds);
    upsert_rate.push_back(rows / upserts.seconds);
    apply_cpu.push_back(applied.cpu_seconds / rows * 1e6);
    apply_mib.push_back(applied.peak_mib);
    fmt::print(stderr, "bulk block {}: apply {:.2f} s, array-bound upserts {:.2f} s\n", b, applied.seconds,
               upserts.seconds);
  }
  const auto ratio = figure(capture_ratio);
  const auto cpu = figure(capture_cpu);
  const auto a_ratio = figure(apply_ratio);
  const auto a_cpu = figure(apply_cpu);
  return {
      {"capture, bulk insert backlog", "rows/s", figure(capture_rate), "", true},
      {"limit: raw read of the dump connection", "rows/s", figure(dump_rate), "", true},
      {"limit: raw produce of the same records", "rows/s", figure(produce_rate), "", true},
      {"capture / slower limit", "ratio", ratio, ">= 0.7", ratio.median >= 0.7},
      {"capture CPU", "s per million rows", cpu, "<= 2", cpu.median <= 2},
      {"capture peak memory", "MiB", figure(capture_mib), "<= 128", figure(capture_mib).high <= 128},
      {"apply, bulk insert backlog", "rows/s", figure(apply_rate), "", true},
      {"limit: array-bound upserts, 1000 a commit", "rows/s", figure(upsert_rate), "", true},
      {"apply / limit", "ratio", a_ratio, ">= 0.8", a_ratio.median >= 0.8},
      {"apply CPU", "s per million rows", a_cpu, "<= 1", a_cpu.median <= 1},
      {"apply peak memory", "MiB", figure(apply_mib), "<= 256", figure(apply_mib).high <= 256},
  };
}

}  // namespace datasync::bench
