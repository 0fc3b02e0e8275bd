#include "operator/runtime/events.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "agents/base/log.hpp"

namespace datasync::runtime {
namespace {

namespace log = base::log;

constexpr std::size_t kMostNote = 1024;   // events.k8s.io/v1
constexpr std::size_t kMostName = 220;    // 253 with what is added
constexpr std::size_t kMostAction = 128;  // also of reason and reportingInstance

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// At most `most` bytes, not ending inside a character.
std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string(text.substr(0, most));
}

}  // namespace

std::string micro_time(base::WallTime time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (micros - seconds).count());
}

EventRecorder::EventRecorder(kube::Api& api, Options options) : api_(api), options_(std::move(options)) {
  options_.instance = cut(options_.instance.empty() ? options_.controller : options_.instance, kMostAction);
}

void EventRecorder::record(const Json& regarding, EventKind kind, std::string_view reason, std::string_view action,
                           std::string_view note) {
  const auto meta_found = regarding.find("metadata");
  const auto& meta = meta_found != regarding.end() ? *meta_found : regarding;
  const auto uid = text_of(meta, "uid");
  const auto name = text_of(meta, "name");
  auto ns = text_of(meta, "namespace");
  const auto now = micro_time(options_.wall());
  Id id{uid, std::string(reason), std::string(note)};
  ObjectKey event;
  std::uint64_t count = 1;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(id); found != kept_.end()) {
      auto& kept = found->second;
      ++kept.count;
      // The first times are news: a pod that ends again. What goes on and on is counted.
      const bool rounder = (kept.count & (kept.count - 1)) == 0;
      if (!rounder && options_.now() - kept.written < options_.again) return;
      kept.written = options_.now();
      event = kept.event;
      count = kept.count;
    } else {
      const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(options_.wall().time_since_epoch());
      event = {ns.empty() ? "default" : ns,
               fmt::format("{}.{:x}{:04x}", cut(name, kMostName), micros.count(), ++number_ & 0xFFFFU)};
      kept_.emplace(id, Kept{event, 1, options_.now()});
      order_.push_back(id);
      if (order_.size() > options_.most_kept) {
        kept_.erase(order_.front());
        order_.pop_front();
      }
    }
  }

  std::optional<kube::ApiError> error;
  if (count > 1) {
    const Json patch{{"series", {{"count", count}, {"lastObservedTime", now}}}};
    auto patched = api_.merge_patch(kube::kEvents, event, patch);
    if (patched) return;
    // Events live for an hour: it is written anew below.
    if (!patched.error().is(kube::Code::NotFound)) error = std::move(patched).error();
  }
  if (!error) {
    Json object{{"apiVersion", "events.k8s.io/v1"},
                {"kind", "Event"},
                {"metadata", {{"namespace", event.ns}, {"name", event.name}}},
                {"eventTime", now},
                {"reportingController", options_.controller},
                {"reportingInstance", options_.instance},
                {"type", kind == EventKind::Warning ? "Warning" : "Normal"},
                {"reason", cut(reason, kMostAction)},
                {"action", cut(action, kMostAction)},
                {"note", cut(note, kMostNote)},
                {"regarding",
                 {{"apiVersion", text_of(regarding, "apiVersion")},
                  {"kind", text_of(regarding, "kind")},
                  {"namespace", ns},
                  {"name", name},
                  {"uid", uid}}}};
    auto created = api_.create(kube::kEvents, event.ns, object);
    if (created) return;
    error = std::move(created).error();
  }
  log::warn("cannot write an event", {{"object", ns + "/" + name}, {"reason", reason}, {"error", error->message}});
  // Not written: it may be tried again when the same comes up again.
  const std::lock_guard lock(mutex_);
  if (kept_.erase(id) > 0) std::erase(order_, id);
}

}  // namespace datasync::runtime
