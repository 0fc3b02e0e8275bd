#include "operator/runtime/controller.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "operator/kube/client.hpp"

namespace datasync::runtime {
namespace {

namespace log = base::log;

double seconds(base::Millis d) {
  return std::chrono::duration<double>(d).count();
}

constexpr std::string_view kAgeName = "datasync_operator_last_success_seconds";
constexpr std::string_view kAgeHelp = "Seconds since the object was last reconciled with success.";

}  // namespace

/// One reconcile that runs.
struct Controller::Turn {
  std::stop_source stop;
  base::SteadyTime deadline;
  bool timed_out = false;
};

Controller::Controller(Options options, Reconcile reconcile, health::Metrics& metrics)
    : options_(std::move(options)),
      reconcile_(std::move(reconcile)),
      metrics_(metrics),
      queue_([this] {
        options_.queue.now = options_.now;
        return options_.queue;
      }()),
      rng_(options_.queue.seed) {
  const health::Labels labels{{"controller", options_.name}};
  metrics_.sampled(
      "datasync_operator_queue_depth", "Objects ready to be reconciled.",
      [this] { return static_cast<double>(queue_.depth()); }, labels);
  metrics_.sampled(
      "datasync_operator_queue_delayed", "Objects that are scheduled for a later reconcile.",
      [this] { return static_cast<double>(queue_.delayed()); }, labels);
  metrics_.sampled(
      "datasync_operator_objects", "Objects under this controller.", [this] { return static_cast<double>(objects()); },
      labels);
  metrics_.sampled(
      "datasync_operator_oldest_success_seconds",
      "The longest time any object has been without a successful reconcile.",
      [this] { return started_ ? seconds(oldest_success_age()) : 0; }, labels);
}

Controller::~Controller() {
  stop();
  const health::Labels labels{{"controller", options_.name}};
  for (const auto* name : {"datasync_operator_queue_depth", "datasync_operator_queue_delayed",
                           "datasync_operator_objects", "datasync_operator_oldest_success_seconds"}) {
    metrics_.forget(name, labels);
  }
  std::vector<ObjectKey> keys;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, known] : known_) keys.push_back(key);
  }
  for (const auto& key : keys) forget(key);
}

void Controller::know(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  const auto now = options_.now();
  known_.try_emplace(key, Known{now, now, {}, false});
}

/// From the first reconcile on: a standby reconciles nothing, and would never learn that an object is gone.
void Controller::show_age(const ObjectKey& key) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(known_.at(key).shown, true)) return;
  }
  metrics_.sampled(kAgeName, kAgeHelp,
                   [this, key] { return started_ ? seconds(last_success_age(key).value_or(base::Millis(0))) : 0; },
                   {{"controller", options_.name}, {"namespace", key.ns}, {"name", key.name}});
}

void Controller::forget(const ObjectKey& key) {
  // Not under the lock: it waits for the gauge, which takes the lock.
  metrics_.forget(kAgeName, {{"controller", options_.name}, {"namespace", key.ns}, {"name", key.name}});
  const std::lock_guard lock(mutex_);
  known_.erase(key);
}

void Controller::enqueue(const ObjectKey& key) {
  know(key);
  queue_.add(key);
}

void Controller::enqueue_after(const ObjectKey& key, base::Millis wait) {
  know(key);
  queue_.add_after(key, wait);
}

void Controller::start() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [key, known] : known_) known.next = known.success = options_.now();
  }
  started_ = true;
  threads_.emplace_back([this](std::stop_token stop) { guard(std::move(stop)); });
  for (unsigned i = 0; i < options_.workers; ++i) {
    threads_.emplace_back([this](std::stop_token stop) { work(std::move(stop)); });
  }
}

void Controller::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

void Controller::work(std::stop_token stop) {
  while (const auto key = queue_.get(stop)) {
    try {
      process(*key, stop);
    } catch (const std::exception& e) {
      log::error("a worker failed", {{"object", key->text()}, {"error", std::string(e.what())}});
      static_cast<void>(queue_.add_failed(*key, base::Millis(0)));
      queue_.done(*key);
    }
  }
}

bool Controller::run_one() {
  const auto key = queue_.try_get();
  if (key) process(*key, {});
  return key.has_value();
}

void Controller::guard(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const auto next = expire();
    std::unique_lock lock(mutex_);
    const auto wait = next ? std::chrono::ceil<base::Millis>(*next - options_.now()) : options_.object_timeout;
    // Nothing that begins meanwhile is due before its whole time is over.
    guard_wakes_.wait_for(lock, stop, std::min(wait, options_.object_timeout), [] { return false; });
  }
}

std::optional<base::SteadyTime> Controller::expire() {
  std::vector<std::shared_ptr<Turn>> late;
  std::optional<base::SteadyTime> next;
  {
    const std::lock_guard lock(mutex_);
    const auto now = options_.now();
    for (const auto& [key, turn] : turns_) {
      if (turn->timed_out) continue;
      if (turn->deadline <= now) {
        turn->timed_out = true;
        late.push_back(turn);
      } else {
        next = next ? std::min(*next, turn->deadline) : turn->deadline;
      }
    }
  }
  for (const auto& turn : late) turn->stop.request_stop();
  return next;
}

Outcome Controller::reconcile(const ObjectKey& key, std::stop_token stop, bool& timed_out) {
  auto turn = std::make_shared<Turn>();
  {
    const std::lock_guard lock(mutex_);
    turn->deadline = options_.now() + options_.object_timeout;
    turns_[key] = turn;
    if (const auto known = known_.find(key); known != known_.end()) known->second.running_since = options_.now();
  }
  Outcome outcome;
  {
    const std::stop_callback on_stop(stop, [turn] { turn->stop.request_stop(); });
    const kube::CallScope scope(turn->stop.get_token());
    // One bad object must not end the process for all the others.
    try {
      outcome = reconcile_(key, turn->stop.get_token());
    } catch (const std::exception& e) {
      outcome = Outcome::failed(fmt::format("internal error: {}", e.what()));
    } catch (...) {
      outcome = Outcome::failed("internal error: an exception of an unknown type");
    }
  }
  const std::lock_guard lock(mutex_);
  timed_out = turn->timed_out;
  turns_.erase(key);
  if (const auto known = known_.find(key); known != known_.end()) known->second.running_since.reset();
  if (timed_out && outcome.error) {
    outcome.error =
        fmt::format("took longer than {} s: {}",
                    std::chrono::duration_cast<std::chrono::seconds>(options_.object_timeout).count(), *outcome.error);
  }
  return outcome;
}

void Controller::process(const ObjectKey& key, std::stop_token stop) {
  know(key);
  show_age(key);
  const auto begin = options_.now();
  bool timed_out = false;
  const auto outcome = reconcile(key, stop, timed_out);
  // A reconcile that a stop cut short says nothing about the object.
  if (!stop.stop_requested()) {
    tell(key, outcome, timed_out, std::chrono::duration_cast<base::Millis>(options_.now() - begin));
    settle(key, outcome);
  }
  queue_.done(key);
}

void Controller::tell(const ObjectKey& key, const Outcome& outcome, bool timed_out, base::Millis took) {
  const auto* result = timed_out                ? "timeout"
                       : !outcome.error         ? "success"
                       : outcome.object_refused ? "refused"
                                                : "error";
  metrics_
      .counter("datasync_operator_reconciles_total", "Reconciles by result.",
               {{"controller", options_.name}, {"result", result}})
      .add();
  metrics_
      .histogram("datasync_operator_reconcile_seconds", "Duration of a reconcile.", health::latency_bounds(),
                 {{"controller", options_.name}})
      .observe(seconds(took));
  if (outcome.error) log::warn("reconcile failed", {{"object", key.text()}, {"error", *outcome.error}});
}

void Controller::settle(const ObjectKey& key, const Outcome& outcome) {
  if (outcome.gone) {
    queue_.forget(key);
    forget(key);
    return;
  }
  base::Millis wait{};
  if (outcome.error) {
    wait = queue_.add_failed(key, outcome.retry_after);
  } else {
    queue_.forget(key);
    wait = jittered(options_.resync);
    if (outcome.requeue_after) wait = std::min(wait, *outcome.requeue_after);
    queue_.add_after(key, wait);
  }
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(key);
  if (known == known_.end()) return;
  known->second.next = options_.now() + wait;
  if (!outcome.error || outcome.object_refused) known->second.success = options_.now();
}

base::Millis Controller::jittered(base::Millis wait) {
  const std::lock_guard lock(mutex_);
  const auto fifth = wait.count() / 5;
  return wait + base::Millis(std::uniform_int_distribution<std::int64_t>(-fifth, fifth)(rng_));
}

}  // namespace datasync::runtime
