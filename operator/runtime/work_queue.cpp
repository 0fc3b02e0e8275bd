#include "operator/runtime/work_queue.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace datasync::runtime {

WorkQueue::WorkQueue(Options options) : options_(std::move(options)), last_move_(options_.now()), rng_(options_.seed) {}

void WorkQueue::enqueue(const ObjectKey& key) {
  if (!dirty_.insert(key).second) return;
  if (working_.contains(key)) return;  // `done` puts it in line
  if (ready_.empty()) last_move_ = options_.now();
  ready_.push_back(key);
}

void WorkQueue::add(const ObjectKey& key) {
  {
    const std::lock_guard lock(mutex_);
    enqueue(key);
  }
  wakes_.notify_one();
}

void WorkQueue::add_after(const ObjectKey& key, base::Millis wait) {
  if (wait.count() <= 0) return add(key);
  {
    const std::lock_guard lock(mutex_);
    const auto due = options_.now() + wait;
    const auto [entry, is_new] = due_.try_emplace(key, due);
    if (!is_new) {
      if (entry->second <= due) return;
      delayed_.erase({entry->second, key});
      entry->second = due;
    }
    delayed_.emplace(due, key);
  }
  wakes_.notify_all();
}

base::Millis WorkQueue::add_failed(const ObjectKey& key, base::Millis at_least) {
  base::Millis wait{};
  {
    const std::lock_guard lock(mutex_);
    const auto exponent = std::min(failures_[key]++, 30U);
    const auto whole = std::min<std::int64_t>(options_.most_wait.count(), options_.first_wait.count() << exponent);
    wait = base::Millis(std::uniform_int_distribution<std::int64_t>(whole / 2, whole)(rng_));
  }
  wait = std::max(wait, at_least);
  add_after(key, wait);
  return wait;
}

void WorkQueue::forget(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

void WorkQueue::promote() {
  const auto now = options_.now();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const auto key = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    due_.erase(key);
    enqueue(key);
  }
}

std::optional<ObjectKey> WorkQueue::take() {
  promote();
  if (ready_.empty()) return {};
  auto key = std::move(ready_.front());
  ready_.pop_front();
  dirty_.erase(key);
  working_.insert(key);
  last_move_ = options_.now();
  return key;
}

std::optional<ObjectKey> WorkQueue::try_get() {
  const std::lock_guard lock(mutex_);
  return take();
}

std::optional<ObjectKey> WorkQueue::get(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (auto key = take()) return key;
    if (delayed_.empty()) {
      wakes_.wait(lock, stop, [&] { return !ready_.empty() || !delayed_.empty(); });
      continue;
    }
    const auto first = delayed_.begin()->first;
    const auto wait = std::chrono::ceil<base::Millis>(first - options_.now());
    wakes_.wait_for(lock, stop, wait,
                    [&] { return !ready_.empty() || delayed_.empty() || delayed_.begin()->first < first; });
  }
  return {};
}

void WorkQueue::done(const ObjectKey& key) {
  {
    const std::lock_guard lock(mutex_);
    working_.erase(key);
    if (!dirty_.contains(key)) return;
    if (ready_.empty()) last_move_ = options_.now();
    ready_.push_back(key);
  }
  wakes_.notify_one();
}

std::size_t WorkQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return ready_.size();
}

std::size_t WorkQueue::delayed() const {
  const std::lock_guard lock(mutex_);
  return delayed_.size();
}

unsigned WorkQueue::failures(const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

bool WorkQueue::holds(const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  return dirty_.contains(key) || working_.contains(key) || due_.contains(key);
}

base::Millis WorkQueue::stuck_for() const {
  const std::lock_guard lock(mutex_);
  const auto now = options_.now();
  auto since = now;
  if (!ready_.empty()) {
    since = last_move_;
  } else if (!delayed_.empty()) {
    since = std::min(now, std::max(last_move_, delayed_.begin()->first));
  }
  return std::chrono::duration_cast<base::Millis>(now - since);
}

}  // namespace datasync::runtime
