#include <chrono>
#include <random>

#include <fmt/format.h>

#include "tests/bench/limits.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/scenarios.hpp"

namespace datasync::bench {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t kTableRows = 100'000;
constexpr double kChangesPerTransaction = 4;

/// sysbench's oltp_write_only transaction: two updates, then a row deleted and inserted again.
void make_backlog(test::MariaDbServer& source, std::uint64_t transactions, std::mt19937_64& random) {
  const auto any = [&] { return std::uniform_int_distribution<std::uint64_t>(1, kTableRows)(random); };
  auto session = source.connect();
  for (std::uint64_t i = 0; i < transactions; ++i) {
    const auto gone = any();
    session.execute("BEGIN");
    session.execute(fmt::format("UPDATE bench.oltp SET k=k+1 WHERE id={}", any()));
    session.execute(fmt::format("UPDATE bench.oltp SET c='{}' WHERE id={}", make_row(random()).c, any()));
    session.execute(fmt::format("DELETE FROM bench.oltp WHERE id={}", gone));
    auto row = make_row(random());
    session.execute(fmt::format("INSERT INTO bench.oltp VALUES ({},{},'{}','{}')", gone, row.k, row.c, row.pad));
    session.execute("COMMIT");
  }
}

}  // namespace

std::vector<Line> oltp(Environment& environment, const Settings& settings) {
  std::mt19937_64 random(1);
  for (auto* server : {&environment.source, &environment.destination}) {
    server->execute("CREATE TABLE bench.oltp " + row_table());
    for (std::uint64_t id = 1; id <= kTableRows; id += 1000)
      server->execute("INSERT INTO bench.oltp VALUES " + row_values(id, id + 999));
  }
  environment.native.wait_for_gtid(environment.source.gtid(), 5min);
  environment.fix_start("oltp", {"bench.oltp"});

  std::vector<double> ratio, ours_rate, native_rate, capture_cpu, apply_cpu;
  const auto changes = static_cast<double>(settings.oltp_transactions) * kChangesPerTransaction;
  for (int b = 1; b <= settings.blocks; ++b) {
    environment.native.execute("STOP SLAVE");
    make_backlog(environment.source, settings.oltp_transactions, random);
    const auto to = environment.source.gtid();

    auto capture = environment.capture("oltp", {"bench.oltp"});
    auto apply = environment.apply("oltp");
    apply.start();
    capture.start();
    const auto seen = wait_first_row(apply);
    const auto start = std::chrono::steady_clock::now();
    wait_applied(apply, to);
    const double ours =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() * changes / (changes - seen);
    capture_cpu.push_back(static_cast<double>(capture.process().cpu_time().count()) / 1000.0 / changes * 1e6);
    apply_cpu.push_back(static_cast<double>(apply.process().cpu_time().count()) / 1000.0 / changes * 1e6);
    capture.process().terminate();
    apply.process().terminate();
    expect_equal(environment.source, environment.destination, "bench.oltp");

    const auto native = native_drain(environment.native, to);
    expect_equal(environment.source, environment.native, "bench.oltp");
    ratio.push_back(native.seconds / ours);
    ours_rate.push_back(changes / ours);
    native_rate.push_back(changes / native.seconds);
    fmt::print(stderr, "oltp block {}: capture and apply {:.2f} s, native replication {:.2f} s\n", b, ours,
               native.seconds);
  }
  const auto r = figure(ratio);
  return {
      {"capture and apply, oltp_write_only backlog", "row changes/s", figure(ours_rate), "", true},
      {"limit: native replication, 1 thread, durable", "row changes/s", figure(native_rate), "", true},
      {"end to end / native", "ratio", r, ">= 3", r.median >= 3},
      {"capture CPU, oltp", "s per million changes", figure(capture_cpu), "", true},
      {"apply CPU, oltp", "s per million changes", figure(apply_cpu), "", true},
  };
}

}  // namespace datasync::bench
