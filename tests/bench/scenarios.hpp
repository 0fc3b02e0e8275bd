#pragma once

#include <vector>

#include "tests/bench/environment.hpp"
#include "tests/bench/stats.hpp"

namespace datasync::bench {

struct Settings {
  std::uint64_t bulk_rows = 1'000'000;
  std::uint64_t oltp_transactions = 25'000;
  int blocks = 5;
  int latency_seconds = 15;
};

/// A backlog of inserted rows: capture beside raw dump and raw produce; apply beside raw array-bound upserts.
std::vector<Line> bulk(Environment& environment, const Settings& settings);
/// A backlog of small transactions (2 updates, delete, insert): capture and apply together beside native replication.
std::vector<Line> oltp(Environment& environment, const Settings& settings);
/// 1000 single-row transactions a second, from the intended time of sending to the row's time at the destination.
std::vector<Line> latency(Environment& environment, const Settings& settings);

}  // namespace datasync::bench
