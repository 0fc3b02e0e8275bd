#pragma once
// The metrics that /metrics exports. A handle is found once by name and labels and is valid as long as its Metrics;
// using it is an atomic operation without a lock.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace datasync::health {

/// A value that only increases.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// The latest value.
class Gauge {
 public:
  void set(double v) noexcept { value_.store(v, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0;
};

/// Counts observations by upper bound.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  /// Adds one observation.
  void observe(double v) noexcept;
  [[nodiscard]] const std::vector<double>& bounds() const noexcept { return bounds_; }
  /// Returns the observations in bucket i (not cumulative); the last bucket has no bound.
  [[nodiscard]] std::uint64_t count(std::size_t i) const noexcept { return counts_[i].load(std::memory_order_relaxed); }
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

/// Returns bounds from 0.1 ms to about half a minute, in seconds, for latencies and lags.
std::vector<double> latency_bounds();

using Labels = std::map<std::string, std::string>;

/// The metrics of one process. Thread-safe. Names follow Prometheus: `datasync_capture_rows_total`, seconds and bytes
/// as units. The same name and labels return the same handle; a name keeps its first kind and help text.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       const Labels& labels = {});
  /// Registers a metric whose value is computed at each scrape: a counter when its name ends in `_total`, otherwise a
  /// gauge. `value` runs on the HTTP thread. Registering it again replaces the earlier function.
  void sampled(std::string_view name, std::string_view help, std::function<double()> value, const Labels& labels = {});
  /// Removes a sampled metric. When the call returns, the function is not running and will not be called again.
  void forget(std::string_view name, const Labels& labels = {});

  /// Returns the metrics in Prometheus text format 0.0.4, with the process's CPU seconds, resident bytes and start
  /// time.
  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::health
