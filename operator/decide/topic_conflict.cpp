#include "operator/decide/topic_conflict.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/api/outside_json.hpp"
#include "operator/decide/rollout.hpp"

namespace datasync::decide {
namespace {

constexpr std::size_t kConfigDepth = 64;

/// `channel` as both a resource and an agent's configuration spell it. The order of the brokers means nothing.
std::string stream_of(const Json& channel) {
  if (!channel.is_object()) return {};
  const auto text = [&](const char* key) {
    const auto at = channel.find(key);
    return at != channel.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto topic = text("topic");
  std::istringstream brokers(text("bootstrapServers"));
  std::set<std::string> sorted;
  for (std::string one; std::getline(brokers, one, ',');) sorted.insert(one);
  return topic.empty() || sorted.empty() ? std::string() : fmt::format("{} {}", fmt::join(sorted, ","), topic);
}

/// A resource that goes may still clean its topics up: nobody begins there anew meanwhile.
enum class Hold : std::uint8_t { Runs, Goes, Wants };

}  // namespace

std::string wanted_stream(const Json& resource) {
  const auto spec = resource.value("spec", Json::object());
  if (!spec.is_object() || !spec.contains("source") || !spec.at("source").is_object()) return {};
  return stream_of(spec.value("channel", Json()));
}

std::string running_stream(const std::vector<Json>& children, const desired::Owner& owner) {
  const auto name = desired::child_name(owner, desired::kCapture);
  for (const auto& c : children) {
    if (c.value("kind", "") != "Deployment" || c.at("metadata").value("name", "") != name || !is_ours(c, owner.uid))
      continue;
    for (const auto& text : mounted_config(children, owner, c)) {
      const auto config = api::parse_bounded(text, kConfigDepth);  // who may edit ConfigMaps may have done so
      if (config.is_object()) return stream_of(config.value("channel", Json()));
    }
  }
  return {};
}

const TopicConflict* stream_holder(const Observed& seen) {
  if (seen.topic_conflicts.empty()) return nullptr;
  const auto rank = [](const TopicConflict& r) {
    return std::tuple(r.runs ? Hold::Runs : r.goes ? Hold::Goes : Hold::Wants, r.created, r.id);
  };
  const auto first = std::ranges::min_element(seen.topic_conflicts, {}, rank);
  const auto owner = owner_of(seen.resource);
  const TopicConflict us{seen.document.resource.id(), seen.resource.at("metadata").value("creationTimestamp", ""),
                         running_stream(seen.children, owner) == wanted_stream(seen.resource), false};
  return rank(*first) < rank(us) ? &*first : nullptr;
}

}  // namespace datasync::decide
