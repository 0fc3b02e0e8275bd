#include "agents/health/metrics.hpp"

#include <chrono>
#include <ctime>
#include <fstream>
#include <mutex>
#include <sstream>
#include <variant>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include "agents/base/clock.hpp"

namespace datasync::health {
namespace {

// Handles are behind pointers so that they never move in memory.
using Handle =
    std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>, std::function<double()>>;

struct Family {
  std::string help;
  prometheus::MetricType type = prometheus::MetricType::Gauge;
  std::map<Labels, Handle> series;
};

struct Filler {
  prometheus::ClientMetric& out;
  prometheus::MetricType type;
  void operator()(const std::unique_ptr<Counter>& c) const { out.counter.value = static_cast<double>(c->value()); }
  void operator()(const std::unique_ptr<Gauge>& g) const { out.gauge.value = g->value(); }
  void operator()(const std::function<double()>& sample) const {
    (type == prometheus::MetricType::Counter ? out.counter.value : out.gauge.value) = sample();
  }
  void operator()(const std::unique_ptr<Histogram>& h) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < h->bounds().size(); ++i) {
      total += h->count(i);
      out.histogram.bucket.push_back({total, h->bounds()[i]});
    }
    out.histogram.sample_count = total + h->count(h->bounds().size());
    out.histogram.sample_sum = h->sum();
  }
};

prometheus::MetricFamily collect(const std::string& name, const Family& family) {
  prometheus::MetricFamily out;
  out.name = name;
  out.help = family.help;
  out.type = family.type;
  for (const auto& [labels, handle] : family.series) {
    auto& metric = out.metric.emplace_back();
    for (const auto& [key, value] : labels) metric.label.push_back({key, value});
    std::visit(Filler{metric, family.type}, handle);
  }
  return out;
}

double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double all = 0;
  double resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

double unix_seconds() {
  return std::chrono::duration<double>(base::wall_now().time_since_epoch()).count();
}

}  // namespace

void Histogram::observe(double v) noexcept {
  std::size_t i = 0;
  while (i < bounds_.size() && v > bounds_[i]) ++i;
  counts_[i].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(v, std::memory_order_relaxed);
}

std::vector<double> latency_bounds() {
  std::vector<double> bounds;
  for (double b = 0.0001; b < 40; b *= 2) bounds.push_back(b);
  return bounds;
}

struct Metrics::Impl {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;

  // Returns the handle and creates it if necessary. A name that is requested as another kind returns a handle that is
  // not exported: the callers in one program must agree on the names.
  template <class T>
  T& find(std::string_view name, std::string_view help, const Labels& labels, prometheus::MetricType type,
          const std::function<std::unique_ptr<T>()>& make) {
    const std::lock_guard lock(mutex);
    auto& family = families[std::string(name)];
    if (family.series.empty()) {
      family.help = help;
      family.type = type;
    }
    const auto at = family.series.find(labels);
    if (at != family.series.end()) {
      if (auto* handle = std::get_if<std::unique_ptr<T>>(&at->second)) return **handle;
      return *std::get<std::unique_ptr<T>>(hidden.emplace_back(make()));
    }
    return *std::get<std::unique_ptr<T>>(family.series.emplace(labels, make()).first->second);
  }

  std::vector<Handle> hidden;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  const auto started = unix_seconds();
  sampled("process_start_time_seconds", "Start of the process, unix time.", [started] { return started; });
  sampled("process_resident_memory_bytes", "Resident memory.", resident_bytes);
  sampled("process_cpu_seconds_total", "CPU time used, user and system.", cpu_seconds);
}

Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return impl_->find<Counter>(name, help, labels, prometheus::MetricType::Counter,
                              [] { return std::make_unique<Counter>(); });
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return impl_->find<Gauge>(name, help, labels, prometheus::MetricType::Gauge,
                            [] { return std::make_unique<Gauge>(); });
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                              const Labels& labels) {
  return impl_->find<Histogram>(name, help, labels, prometheus::MetricType::Histogram,
                                [&bounds] { return std::make_unique<Histogram>(std::move(bounds)); });
}

void Metrics::sampled(std::string_view name, std::string_view help, std::function<double()> value,
                      const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  auto& family = impl_->families[std::string(name)];
  family.help = help;
  family.type = name.ends_with("_total") ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  family.series.insert_or_assign(labels, Handle(std::move(value)));
}

void Metrics::forget(std::string_view name, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  const auto family = impl_->families.find(name);
  if (family == impl_->families.end()) return;
  const auto at = family->second.series.find(labels);
  if (at != family->second.series.end() && std::holds_alternative<std::function<double()>>(at->second)) {
    family->second.series.erase(at);
  }
}

std::string Metrics::text() const {
  std::vector<prometheus::MetricFamily> all;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [name, family] : impl_->families) {
      if (!family.series.empty()) all.push_back(collect(name, family));
    }
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, all);
  return out.str();
}

}  // namespace datasync::health
