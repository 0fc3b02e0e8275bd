#include "operator/decide/once.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "operator/api/outside_json.hpp"
#include "operator/decide/fields.hpp"
#include "operator/decide/pods.hpp"
#include "operator/desired/merge.hpp"

namespace datasync::decide {
namespace {

constexpr std::size_t kRecordDepth = 4;

/// Changes with everything that decides which rows are copied, and from where to where.
std::string copies_hash(const api::DataSync& r) {
  Json out{{"brokers", r.spec.channel.bootstrap_servers}, {"topic", r.spec.channel.topic}, {"wanted", r.spec.types}};
  if (r.spec.source) {
    for (const auto& replica : r.spec.source->replicas) out["replicas"].push_back(replica.text());
    for (const auto& t : r.spec.source->types)
      out["types"].push_back(
          {{"name", t.name}, {"tables", t.tables}, {"excluded", t.exclude_columns}, {"keys", t.key_columns}});
  }
  if (const auto& d = r.spec.destination)
    out["destination"] = {{"host", d->host}, {"port", d->port}, {"rename", d->rename}};
  return desired::hash(out);
}

/// The declared act that asks for a run, shortened.
std::string asked_run(const api::DataSync& r) {
  const auto at = r.metadata.annotations.find(std::string(api::kRunAgain));
  return at == r.metadata.annotations.end() || at->second.empty() ? std::string() : desired::hash(at->second);
}

using fields::text;

/// A record that cannot be read is one all the same: it says that the run completed.
Completion record_of(const std::string& written) {
  const auto record = api::parse_bounded(written, kRecordDepth);
  return {text(record, "at"), text(record, "copies"), text(record, "run")};
}

const Json& status_of(const Json& resource) {
  static const Json kNone = Json::object();
  const auto at = resource.find("status");
  return at != resource.end() && at->is_object() ? *at : kNone;
}

/// Also of a Deployment whose owner was a former resource of this name: one that is restored from a backup.
bool is_deployment(const Json& object, const desired::Owner& owner) {
  if (text(object, "kind") != "Deployment") return false;
  const auto name = text(object.at("metadata"), "name");
  return name == desired::child_name(owner, desired::kCapture) || name == desired::child_name(owner, desired::kApply);
}

std::optional<Completion> written(const Observed& seen) {
  std::optional<Completion> newest;
  const auto take = [&](const std::string& record) {
    if (record.empty()) return;
    auto one = record_of(record);
    if (!newest || one.at > newest->at) newest = std::move(one);
  };
  take(text(status_of(seen.resource), "completion"));
  const auto owner = owner_of(seen.resource);
  for (const auto& child : seen.children)
    if (is_deployment(child, owner))
      take(text(child.at("metadata").value("annotations", Json::object()), std::string(desired::kCompletion).c_str()));
  return newest;
}

/// The pod has the configuration that the spec says now: another one's run says nothing of it.
bool is_current(const Observed& seen, const Json& pod, std::string_view agent) {
  const auto hash = desired::config_hash(seen.document.resource, agent);
  return text(pod.at("metadata").value("annotations", Json::object()), std::string(desired::kConfigHash).c_str()) ==
         hash;
}

bool agents_say_so(const Observed& seen) {
  const auto agents = desired::agents_of(seen.document.resource);
  return !agents.empty() && std::ranges::all_of(agents, [&](std::string_view agent) {
    const auto* pod = current_pod(seen.pods, agent);
    const auto at = seen.reports.find(std::string(agent));
    return pod != nullptr && at != seen.reports.end() && at->second.pod == text(pod->at("metadata"), "name") &&
           at->second.view && at->second.view->state == "Completed" && is_current(seen, *pod, agent);
  });
}

/// As an operator of an earlier version, which kept no record, said last: a new default image must not restart agents
/// that are done, before they have been asked.
bool status_says_so(const Observed& seen) {
  const auto& status = status_of(seen.resource);
  const auto conditions = status.find("conditions");
  if (conditions == status.end() || !conditions->is_array()) return false;
  const auto generation = seen.resource.at("metadata").value("generation", Json());
  return std::ranges::any_of(*conditions, [&](const Json& c) {
    return text(c, "type") == "Ready" && text(c, "status") == "True" && text(c, "reason") == reason::Completed &&
           c.value("observedGeneration", Json()) == generation;
  });
}

}  // namespace

std::string Completion::text() const {
  return Json{{"at", at}, {"copies", copies}, {"run", run}}.dump();
}

Once once_of(const Observed& seen) {
  Once out;
  const auto& r = seen.document.resource;
  out.on = r.spec.mode == config::Mode::Once;
  if (!out.on) return out;
  const auto asked = asked_run(r);
  auto record = written(seen);
  if (record && (asked.empty() || asked == record->run)) {
    out.changed = !record->copies.empty() && record->copies != copies_hash(r);
    out.done = std::move(record);
    return out;
  }
  if (record) out.former_at = record->at;
  const bool done = agents_say_so(seen) || (!record && status_says_so(seen));
  if (done) {
    const auto now = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seen.now)));
    out.done = {now, copies_hash(r), asked};
  }
  return out;
}

}  // namespace datasync::decide
