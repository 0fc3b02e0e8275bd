// The status and the events, and when to look again.
#include <algorithm>

#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace datasync::reconcile {
namespace {

using runtime::Outcome;

constexpr base::Millis kSoon{200};
constexpr base::Millis kFirstAnswer{5'000};  ///< an agent that was just asked has answered by then, or failed to
constexpr base::Millis kExtras{300'000};     ///< between tries of what agents run without
constexpr std::chrono::minutes kRemind{30};
constexpr std::chrono::seconds kWritesWithin{60};
constexpr std::size_t kMostWrites = 20;
constexpr unsigned kMostDoublings = 7;  ///< 25 s between looks when conflicts do not end
constexpr unsigned kTellAfter = 3;      ///< failures in a row of what heals by itself, until status says so

std::optional<base::Millis> sooner(std::optional<base::Millis> a, std::optional<base::Millis> b) {
  return !a ? b : !b ? a : std::min(a, b);
}

/// What we saw is not what is there any more: the cache knows in a moment. A server that says so again and again gets
/// rest.
Outcome look_again(Memory& memory) {
  return Outcome::again(kSoon * (1U << std::min(memory.conflicts++, kMostDoublings)));
}

/// A state that flaps is not written through: after this many writes in a minute the next one waits, and then says what
/// is so by then.
std::optional<base::Millis> too_many_writes(Memory& memory, decide::Time now) {
  auto& writes = memory.status_writes;
  while (!writes.empty() && now - writes.front() >= kWritesWithin) writes.pop_front();
  if (writes.size() < kMostWrites) return std::nullopt;
  return std::chrono::duration_cast<base::Millis>(writes.front() + kWritesWithin - now);
}

/// The status answers an edit of the resource, or is not Ready any more: never delayed.
bool is_urgent(const Json& before, const Json& now) {
  const auto generation = [](const Json& status) {
    return status.is_object() ? status.value("observedGeneration", Json()) : Json();
  };
  const auto ready = [](const Json& status) {
    if (!status.is_object()) return false;
    const auto conditions = status.value("conditions", Json::array());
    return std::ranges::any_of(conditions, [](const Json& c) {
      return c.is_object() && c.value("type", Json()) == "Ready" && c.value("status", Json()) == "True";
    });
  };
  return generation(before) != generation(now) || (ready(before) && !ready(now));
}

Outcome outcome(const ApplyResult& done, std::optional<base::Millis> requeue, Memory& memory) {
  if (done.error) return Outcome::failed(*done.error);
  if (!done.refused.empty()) {
    const auto& why = done.refused.front().message;
    // The installation lacks a right; anything else is the resource's own, and its status says so.
    const auto forbidden = std::ranges::find(done.refused, decide::reason::Forbidden, &decide::Finding::reason);
    return forbidden != done.refused.end() ? Outcome::failed(forbidden->message) : Outcome::refused(why);
  }
  if (done.conflict) return look_again(memory);
  memory.conflicts = 0;
  if (!done.extras.empty()) requeue = sooner(requeue, kExtras);
  return requeue ? Outcome::again(*requeue) : Outcome::done();
}

}  // namespace

void Reconciler::record(const Json& resource, const std::vector<decide::Note>& notes) {
  for (const auto& note : notes)
    events_.record(resource,
                   decide::event_kind(note.reason) == decide::EventKind::Warning ? runtime::EventKind::Warning
                                                                                 : runtime::EventKind::Normal,
                   note.reason, "Reconcile", note.message);
}

/// Once for as long as it stays so; what a person has to decide again, because events go after an hour.
void Reconciler::tell_elsewhere(const decide::Observed& seen, const decide::Note& note, Memory& memory) {
  const bool warns = decide::event_kind(note.reason) == decide::EventKind::Warning;
  const bool old = warns && seen.now - memory.reported_elsewhere_at >= kRemind;
  if (note.message == memory.reported_elsewhere && !old) return;
  memory.reported_elsewhere = note.message;
  memory.reported_elsewhere_at = seen.now;
  record(seen.resource, {note});
}

/// Once for as long as it stays so.
void Reconciler::tell_extras(const Json& resource, const std::vector<std::string>& extras, Memory& memory) {
  const auto text = fmt::format("{}", fmt::join(extras, "; "));
  if (text == memory.reported_extras) return;
  memory.reported_extras = text;
  if (text.empty()) return;
  const auto owner = decide::owner_of(resource);
  base::log::warn("optional objects could not be created", {{"namespace", std::string_view(owner.ns)},
                                                            {"name", std::string_view(owner.name)},
                                                            {"what", std::string_view(text)}});
  record(resource, {{std::string(decide::reason::ExtraRefused), text}});
}

Outcome Reconciler::update_status(const decide::Observed& seen, const decide::Plan& plan, const ApplyResult& done,
                                  Memory& memory) {
  if (plan.gone) {
    if (!done.error && !done.conflict) record(seen.resource, plan.notes);
    return outcome(done, plan.requeue_after, memory);
  }
  record(seen.resource, plan.notes);
  tell_extras(seen.resource, done.extras, memory);
  auto findings = done.refused;
  memory.failures = done.error ? memory.failures + 1 : 0;
  if (done.error) {
    if (memory.failures < kTellAfter || done.error->is(kube::Code::Stopped)) return outcome(done, {}, memory);
    findings.push_back({decide::Level::Waiting, std::string(decide::reason::ApiUnavailable), done.error->message});
  } else if (done.conflict) {
    return outcome(done, {}, memory);
  }
  if (status::too_early(seen)) return outcome(done, sooner(plan.requeue_after, kFirstAnswer), memory);
  const auto told = status::build_status(seen, plan, findings, settings_.lease);
  const auto us = decide::owner_of(seen.resource);
  conditions_.show({us.ns, us.name}, told.status.at("conditions"));
  const auto before = seen.resource.value("status", Json::object());
  const auto due = status::due(before, told.status, memory.status_written, seen.now);
  if (!due.now) return outcome(done, sooner(plan.requeue_after, due.later), memory);
  if (const auto wait = too_many_writes(memory, seen.now); wait && !is_urgent(before, told.status))
    return outcome(done, sooner(plan.requeue_after, wait), memory);
  if (const auto written = write_status(seen.resource, told.status, memory); !written) {
    if (written.error().is(kube::Code::NotFound) || written.error().is(kube::Code::Conflict)) return look_again(memory);
    return Outcome::failed(written.error());
  }
  record(seen.resource, told.events);
  return outcome(done, plan.requeue_after, memory);
}

kube::ApiResult<Json> Reconciler::write_status(const Json& resource, const Json& status, Memory& memory) {
  const auto owner = decide::owner_of(resource);
  // With the uid: a new resource of this name does not get the status of the former one.
  const Json body{{"apiVersion", api::kApiVersion},
                  {"kind", api::kKind},
                  {"metadata", {{"name", owner.name}, {"namespace", owner.ns}, {"uid", owner.uid}}},
                  {"status", status}};
  auto written = api_.apply(kube::kDataSyncs, {owner.ns, owner.name}, body, "status");
  if (!written) return written;
  memory.status_written = now_();
  memory.status_writes.push_back(*memory.status_written);
  memory.status = status;
  memory.status_over = resource.at("metadata").value("resourceVersion", "");
  return written;
}

/// It needs as little as possible of what may have caused the error: the resource as the server gave it.
Outcome Reconciler::tell_error(const ObjectKey& key, const std::string& words, Memory& memory) {
  const auto failed = Outcome::failed("internal error: " + words);
  decide::Observed seen;
  auto resource = cache_.resource(key);
  if (!resource) return failed;
  seen.resource = std::move(*resource);
  seen.now = now_();
  const auto status = seen.resource.value("status", Json::object());
  const auto by = status.is_object() ? status.value("operator", Json()) : Json();
  if (by != settings_.children.installation) return failed;  // nobody's yet, or another installation's
  if (seen.resource.at("metadata").contains("deletionTimestamp")) {
    if (!decide::is_held(seen.resource) || decide::age_of_deletion(seen) < settings_.children.cleanup_limit)
      return failed;
    if (const auto error = change_finalizer(seen, decide::Finalizer::Remove)) return Outcome::failed(*error);
    record(seen.resource, {{std::string(decide::reason::CleanupGaveUp),
                            "internal error: " + words + "; delete the topics and ledger rows manually"}});
    return failed;
  }
  const auto told =
      status::tell_internal_error(seen.resource, words, settings_.children.installation, settings_.lease, seen.now);
  conditions_.show(key, told.status.at("conditions"));
  if (!status::due(status, told.status, memory.status_written, seen.now).now) return failed;
  if (const auto written = write_status(seen.resource, told.status, memory); !written) return failed;
  record(seen.resource, told.events);
  return failed;
}

}  // namespace datasync::reconcile
