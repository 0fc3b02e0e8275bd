#pragma once
// Figures of several runs, and the table they end in.

#include <algorithm>
#include <string>
#include <vector>

namespace datasync::bench {

/// Median of some runs with their spread.
struct Figure {
  double median = 0, low = 0, high = 0;
};

inline Figure figure(std::vector<double> runs) {
  if (runs.empty()) return {};
  std::ranges::sort(runs);
  const auto n = runs.size();
  const double median = n % 2 == 1 ? runs[n / 2] : (runs[n / 2 - 1] + runs[n / 2]) / 2;
  return {median, runs.front(), runs.back()};
}

/// The p-th percentile (0..100) by nearest rank.
inline double percentile(std::vector<double> samples, double p) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  const auto rank = static_cast<std::size_t>(p / 100.0 * static_cast<double>(samples.size() - 1) + 0.5);
  return samples[std::min(rank, samples.size() - 1)];
}

/// One line of the result: what was measured, against which target.
struct Line {
  std::string what;
  std::string unit;
  Figure value;
  std::string target;  ///< empty: for information
  bool met = true;
};

}  // namespace datasync::bench
