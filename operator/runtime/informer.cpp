#include "operator/runtime/informer.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <string_view>
#include <utility>

#include "agents/base/log.hpp"
#include "operator/kube/client.hpp"

namespace datasync::runtime {
namespace {

namespace log = base::log;

/// A watch shorter than this that brought nothing was no watch: the next one waits.
constexpr base::Millis kShortWatch{1'000};

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// True when `a` is surely from before `b`. Resource versions of one server are ordered numbers (KEP-5504); anything
/// else cannot be compared and is never older.
bool is_older(std::string_view a, std::string_view b) {
  if (!is_number(a) || !is_number(b)) return false;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

Informer::Informer(kube::Api& api, Options options)
    : api_(api), options_(std::move(options)), backoff_(options_.first_wait, options_.most_wait) {
  next_list_ = options_.now();
  last_heard_ = options_.now();
}

Informer::~Informer() {
  stop();
}

void Informer::on_change(Handler handler) {
  handlers_.push_back(std::move(handler));
}

void Informer::on_sync(std::function<void()> handler) {
  sync_handlers_.push_back(std::move(handler));
}

void Informer::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Informer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Informer::run(std::stop_token stop) {
  const kube::CallScope scope(stop);
  while (!stop.stop_requested()) {
    wait_at_least_ = base::Millis(0);
    try {
      const bool listed = !position_.empty() && options_.now() < next_list_;
      if ((listed || list_once()) && !stop.stop_requested() && watch_once(stop)) continue;
    } catch (const std::exception& e) {
      // One bad object must not end the process for all the others. Everything is listed again, after a wait.
      position_.clear();
      failed({kube::Code::Malformed, 0, std::string("internal error: ") + e.what(), {}}, Doing::List);
    }
    if (!stop.stop_requested()) options_.sleep(stop, std::max(backoff_.next(), wait_at_least_));
  }
}

bool Informer::list_once() {
  auto list = api_.list_trimmed(options_.kind, options_.selector, options_.trim);
  if (!list) {
    failed(list.error(), Doing::List);
    return false;
  }
  const bool past = is_older(list->resource_version, newest_);
  {
    const std::lock_guard lock(mutex_);
    ++counts_.lists;
    if (past) ++counts_.past_lists;
  }
  if (past && ++past_in_a_row_ < options_.past_lists) {
    log::warn("the list has an older resourceVersion than seen; listing again",
              {{"kind", options_.kind.plural}, {"resourceVersion", list->resource_version}, {"seen", newest_}});
    position_.clear();
    return false;
  }
  past_in_a_row_ = 0;
  position_ = newest_ = list->resource_version;
  std::mt19937_64 rng(std::random_device{}());
  const auto relist = options_.relist.count();
  next_list_ = options_.now() +
               base::Millis(std::uniform_int_distribution<std::int64_t>(relist - relist / 5, relist + relist / 5)(rng));
  replace(std::move(*list));
  heard(Doing::List);
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !synced_.exchange(true);
  }
  synced_cv_.notify_all();
  if (first)
    for (const auto& handler : sync_handlers_) handler();
  return true;
}

void Informer::replace(kube::List list) {
  std::set<ObjectKey> listed;
  for (const auto& item : list.items) listed.insert(key_of(item));
  std::vector<ObjectKey> vanished;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, seen] : objects_) {
      if (!listed.contains(key)) vanished.push_back(key);
    }
  }
  for (const auto& key : vanished) erase(key, {});
  for (auto& item : list.items) store(std::move(item));
}

bool Informer::watch_once(std::stop_token stop) {
  const auto begin = options_.now();
  bool moved = false;
  {
    const std::lock_guard lock(mutex_);
    ++counts_.watches;
  }
  const auto end = api_.watch(options_.kind, options_.selector, position_, stop, [&](const kube::WatchEvent& event) {
    moved = true;
    heard(Doing::Watch);
    take(event);
  });
  const bool lasted = options_.now() - begin >= kShortWatch;
  if (moved || (end && lasted)) backoff_.reset();
  if (end) {
    if (lasted) heard(Doing::Watch);
    return moved || lasted;
  }
  if (end.error().is(kube::Code::Gone)) {
    // Listed after a wait with jitter, so that not all watchers of a server come at once.
    const std::lock_guard lock(mutex_);
    ++counts_.gone;
    position_.clear();
    return false;
  }
  // What could not be understood would come again from the same place.
  if (end.error().is(kube::Code::Malformed)) position_.clear();
  // Silence is an end like another: it goes on from where it was.
  if (!end.error().is(kube::Code::Timeout)) failed(end.error(), Doing::Watch);
  return false;
}

void Informer::take(const kube::WatchEvent& event) {
  const auto version = resource_version_of(event.object);
  const auto key = key_of(event.object);
  if (event.type != kube::EventType::Bookmark) {
    const auto known = get(key);
    if (known && is_older(version, resource_version_of(*known))) {
      const std::lock_guard lock(mutex_);
      ++counts_.past_events;
      return;
    }
    auto object = event.object;
    if (options_.trim) options_.trim(object);
    if (event.type == kube::EventType::Deleted) {
      erase(key, std::move(object));
    } else {
      store(std::move(object));
    }
  }
  if (!version.empty() && !is_older(version, position_)) position_ = version;
  if (!is_older(position_, newest_)) newest_ = position_;
}

void Informer::store(Json object) {
  const auto key = key_of(object);
  Seen seen{std::make_shared<const Json>(std::move(object)), {}};
  if (options_.index) seen.names = options_.index(*seen.object);
  const auto now = seen.object;
  Object before;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found != objects_.end()) {
      before = found->second.object;
      unindex(key, found->second);
    }
    for (const auto& name : seen.names) index_[name].insert(key);
    objects_.insert_or_assign(key, std::move(seen));
  }
  // A list that brings the same again is no news.
  const auto version = resource_version_of(*now);
  if (before && !version.empty() && version == resource_version_of(*before)) return;
  tell(before ? Change::Modified : Change::Added, *now, before.get());
}

void Informer::erase(const ObjectKey& key, std::optional<Json> last) {
  Object before;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    before = found->second.object;
    unindex(key, found->second);
    objects_.erase(found);
  }
  tell(Change::Deleted, last ? *last : *before, before.get());
}

void Informer::unindex(const ObjectKey& key, const Seen& seen) {
  for (const auto& name : seen.names) {
    const auto found = index_.find(name);
    if (found == index_.end()) continue;
    found->second.erase(key);
    if (found->second.empty()) index_.erase(found);
  }
}

void Informer::tell(Change change, const Json& object, const Json* before) const {
  for (const auto& handler : handlers_) {
    // The object is kept already: an error here would not come again with the next list, and must not end the watch.
    try {
      handler(change, object, before);
    } catch (const std::exception& e) {
      log::error("a change of an object cannot be handled",
                 {{"kind", options_.kind.plural}, {"object", key_of(object).text()}, {"error", std::string(e.what())}});
    }
  }
}

void Informer::heard(Doing doing) {
  const std::lock_guard lock(mutex_);
  last_heard_ = options_.now();
  if (doing == Doing::Watch || failed_doing_ == Doing::List) last_error_.reset();
}

void Informer::failed(const kube::ApiError& error, Doing doing) {
  if (error.is(kube::Code::Stopped)) return;
  wait_at_least_ = error.retry_after;
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    news = !last_error_ || last_error_->code != error.code;
    last_error_ = error;
    failed_doing_ = doing;
  }
  if (news) log::warn("cannot watch the API server", {{"kind", options_.kind.plural}, {"error", error.message}});
}

bool Informer::wait_synced(std::stop_token stop, base::Millis limit) const {
  std::unique_lock lock(mutex_);
  return synced_cv_.wait_for(lock, stop, limit, [&] { return synced_.load(); });
}

std::optional<kube::ApiError> Informer::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

base::SteadyTime Informer::last_heard() const {
  const std::lock_guard lock(mutex_);
  return last_heard_;
}

}  // namespace datasync::runtime
