#include "operator/runtime/leader.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "agents/base/log.hpp"
#include "operator/kube/client.hpp"
#include "operator/runtime/events.hpp"

namespace datasync::runtime {
namespace {

namespace log = base::log;

const Json& spec_of(const Json& lease) {
  static const Json kEmpty = Json::object();
  const auto spec = lease.find("spec");
  return spec != lease.end() && spec->is_object() ? *spec : kEmpty;
}

std::string holder_of(const Json& lease) {
  const auto& spec = spec_of(lease);
  const auto holder = spec.find("holderIdentity");
  return holder != spec.end() && holder->is_string() ? holder->get<std::string>() : std::string();
}

std::int64_t number_of(const Json& lease, const char* key) {
  const auto& spec = spec_of(lease);
  const auto value = spec.find(key);
  return value != spec.end() && value->is_number_integer() ? value->get<std::int64_t>() : 0;
}

}  // namespace

LeaderElector::LeaderElector(kube::Api& api, Options options) : api_(api), options_(std::move(options)) {}

LeaderElector::~LeaderElector() {
  renewer_.request_stop();
  watchdog_.request_stop();
}

Json LeaderElector::lease_of(const Json* current) const {
  Json lease = current != nullptr
                   ? *current
                   : Json{{"apiVersion", "coordination.k8s.io/v1"},
                          {"kind", "Lease"},
                          {"metadata", {{"namespace", options_.lease.ns}, {"name", options_.lease.name}}}};
  const bool ours = current != nullptr && holder_of(*current) == options_.identity;
  const auto now = micro_time(options_.wall());
  const auto transitions = current != nullptr ? number_of(*current, "leaseTransitions") : 0;
  const auto acquired = ours ? spec_of(*current).value("acquireTime", now) : now;
  lease["spec"] = {{"holderIdentity", options_.identity},
                   {"leaseDurationSeconds", std::chrono::ceil<std::chrono::seconds>(options_.duration).count()},
                   {"acquireTime", acquired},
                   {"renewTime", now},
                   {"leaseTransitions", ours || current == nullptr ? transitions : transitions + 1}};
  for (const auto& [name, value] : options_.annotations) lease["metadata"]["annotations"][name] = value;
  return lease;
}

/// A lease that did not change since we last saw it keeps the time of that sight.
void LeaderElector::seen(const Json& lease) {
  if (observed_ && *observed_ == lease) return;
  observed_ = lease;
  observed_at_ = options_.now();
}

LeaderElector::Step LeaderElector::written(const kube::ApiResult<Json>& answer, base::SteadyTime begun) {
  const std::lock_guard lock(mutex_);
  if (!answer) {
    look_first_ = true;
    log::warn("cannot write the lease", {{"lease", options_.lease.text()}, {"error", answer.error().message}});
    return Step::Failed;
  }
  look_first_ = false;
  seen(*answer);
  renewed_at_ = begun;
  wakes_.notify_all();
  return Step::Held;
}

LeaderElector::Step LeaderElector::step() {
  const auto done = try_once();
  if (done == Step::Failed) return done;
  const std::lock_guard lock(mutex_);
  known_at_ = options_.now();
  return done;
}

LeaderElector::Step LeaderElector::try_once() {
  const auto begun = options_.now();
  std::optional<Json> current;
  bool look = true;
  {
    const std::lock_guard lock(mutex_);
    look = look_first_;
    current = observed_;
  }
  if (look || !current) {
    auto found = api_.get(kube::kLeases, options_.lease);
    if (!found && found.error().is(kube::Code::NotFound)) {
      return written(api_.create(kube::kLeases, options_.lease.ns, lease_of(nullptr)), begun);
    }
    if (!found) {
      log::warn("cannot read the lease", {{"lease", options_.lease.text()}, {"error", found.error().message}});
      return Step::Failed;
    }
    current = std::move(*found);
    const std::lock_guard lock(mutex_);
    seen(*current);
    const auto holder = holder_of(*current);
    const auto told = std::chrono::seconds(number_of(*current, "leaseDurationSeconds"));
    const auto runs_out = observed_at_ + (told.count() > 0 ? base::Millis(told) : options_.duration);
    if (!holder.empty() && holder != options_.identity && options_.now() < runs_out) return Step::Other;
  }
  return written(api_.update(kube::kLeases, options_.lease, lease_of(&*current)), begun);
}

bool LeaderElector::acquire(std::stop_token stop, const std::function<void(base::Millis unknown)>& told) {
  const kube::CallScope scope(stop);
  {
    const std::lock_guard lock(mutex_);
    known_at_ = options_.now();
  }
  while (!stop.stop_requested()) {
    const auto done = step();
    if (done == Step::Held) {
      log::info("holding the lease", {{"lease", options_.lease.text()}, {"identity", options_.identity}});
      return true;
    }
    if (told) told(done == Step::Other ? base::Millis(0) : unknown_for());
    if (!options_.sleep(stop, options_.retry)) return false;
  }
  return false;
}

void LeaderElector::keep(std::function<void()> on_lost) {
  on_lost_ = std::move(on_lost);
  renewer_ = std::jthread([this](std::stop_token stop) { renew_loop(std::move(stop)); });
  watchdog_ = std::jthread([this](std::stop_token stop) { watch_loop(std::move(stop)); });
}

void LeaderElector::renew_loop(std::stop_token stop) {
  const kube::CallScope scope(stop);
  while (options_.sleep(stop, options_.retry)) {
    try {
      if (step() != Step::Other) continue;
    } catch (const std::exception& e) {
      log::error("cannot renew the lease", {{"lease", options_.lease.text()}, {"error", std::string(e.what())}});
      continue;  // the watchdog ends at the deadline
    }
    const std::lock_guard lock(mutex_);
    renewed_at_.reset();  // the watchdog tells
    wakes_.notify_all();
    return;
  }
}

/// A thread of its own, because the renewing one may hang in a call just when time runs out.
void LeaderElector::watch_loop(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto until = renewed_at_ ? *renewed_at_ + options_.renew_deadline : options_.now();
    const auto left = std::chrono::ceil<base::Millis>(until - options_.now());
    if (left.count() <= 0) {
      lost_ = true;
      lock.unlock();
      log::error("lost the lease", {{"lease", options_.lease.text()}});
      if (on_lost_) on_lost_();
      return;
    }
    wakes_.wait_for(lock, stop, left, [&] { return !renewed_at_ || *renewed_at_ + options_.renew_deadline != until; });
  }
}

void LeaderElector::release() {
  for (auto* thread : {&renewer_, &watchdog_}) {
    thread->request_stop();
    if (thread->joinable()) thread->join();
  }
  // The renewing thread may have been stopped in the middle of a write: what is there counts, not what was seen.
  const auto found = api_.get(kube::kLeases, options_.lease);
  {
    const std::lock_guard lock(mutex_);
    renewed_at_.reset();
    look_first_ = true;
  }
  if (!found || holder_of(*found) != options_.identity) return;
  auto lease = *found;
  lease["spec"]["holderIdentity"] = "";
  lease["spec"]["leaseDurationSeconds"] = 1;
  lease["spec"]["renewTime"] = micro_time(options_.wall());
  if (const auto given = api_.update(kube::kLeases, options_.lease, lease); !given) {
    log::warn("cannot release the lease", {{"lease", options_.lease.text()}, {"error", given.error().message}});
  }
}

base::Millis LeaderElector::unknown_for() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<base::Millis>(options_.now() - known_at_);
}

bool LeaderElector::leading() const {
  const std::lock_guard lock(mutex_);
  return renewed_at_ && !lost_ && options_.now() < *renewed_at_ + options_.renew_deadline;
}

std::string LeaderElector::holder() const {
  const std::lock_guard lock(mutex_);
  return observed_ ? holder_of(*observed_) : std::string();
}

}  // namespace datasync::runtime
