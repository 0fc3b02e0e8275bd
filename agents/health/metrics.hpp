#pragma once
// Figures for /metrics. A handle is found once by name and labels and lives as long as its Metrics; using it is an
// atomic operation without a lock.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace datasync::health {

/// Only grows.
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
  void observe(double v) noexcept;
  [[nodiscard]] const std::vector<double>& bounds() const noexcept { return bounds_; }
  /// Observations in bucket i (not cumulative); the last bucket has no bound.
  [[nodiscard]] std::uint64_t count(std::size_t i) const noexcept { return counts_[i].load(std::memory_order_relaxed); }
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

/// From 0.1 ms to about half a minute, in seconds, for latencies and lags.
std::vector<double> latency_bounds();

using Labels = std::map<std::string, std::string>;

/// The figures of one process. Thread-safe. Names follow Prometheus: `datasync_capture_rows_total`, seconds and bytes
/// as units. The same name and labels give the same handle; a name keeps the kind and help it was first given.
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
  /// A figure that is asked for when somebody looks: a counter when its name ends in `_total`, else a gauge. `value`
  /// runs on the HTTP thread. Given again, it replaces the former.
  void sampled(std::string_view name, std::string_view help, std::function<double()> value, const Labels& labels = {});
  /// Forgets a sampled figure; when it returns, the function is not running and will not be called again.
  void forget(std::string_view name, const Labels& labels = {});

  /// Prometheus text format 0.0.4, with the process's CPU seconds, resident bytes and start time added.
  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::health
