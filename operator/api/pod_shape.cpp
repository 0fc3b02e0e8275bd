#include "operator/api/pod_shape.hpp"

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

namespace datasync::api {
namespace {

using config::Problem;
using config::Value;

constexpr std::size_t kMostBytes = 128 * 1024;  ///< two agents, and the template a second time in the last ReplicaSets
constexpr std::size_t kMostProblems = 20;

enum class Kind : std::uint8_t { Map, Texts, Quantities, List };

/// A member of a PodTemplateSpec or a container (k8s.io/api/core/v1 types.go) that merging enters.
struct Member {
  std::string_view of;  ///< of which: "" the template, "metadata", "spec", "container", "resources"
  std::string_view name;
  Kind kind = Kind::Map;
  std::string_view content;  ///< what a map or an item of a list is, as in `of`; empty: not entered
  std::string_view key;      ///< of a list: the text that each item has
};

constexpr Member kMembers[] = {
    {"", "metadata", Kind::Map, "metadata", {}},
    {"", "spec", Kind::Map, "spec", {}},
    {"metadata", "labels", Kind::Texts, {}, {}},
    {"metadata", "annotations", Kind::Texts, {}, {}},
    {"spec", "containers", Kind::List, "container", "name"},
    {"spec", "initContainers", Kind::List, "container", "name"},
    {"spec", "ephemeralContainers", Kind::List, "container", "name"},
    {"spec", "volumes", Kind::List, {}, "name"},
    {"spec", "imagePullSecrets", Kind::List, {}, {}},
    {"spec", "hostAliases", Kind::List, {}, {}},
    {"spec", "topologySpreadConstraints", Kind::List, {}, {}},
    {"spec", "resourceClaims", Kind::List, {}, {}},
    {"spec", "tolerations", Kind::List, {}, {}},
    {"spec", "readinessGates", Kind::List, {}, {}},
    {"spec", "schedulingGates", Kind::List, {}, {}},
    {"spec", "nodeSelector", Kind::Texts, {}, {}},
    {"spec", "affinity", Kind::Map, {}, {}},
    {"spec", "securityContext", Kind::Map, {}, {}},
    {"spec", "dnsConfig", Kind::Map, {}, {}},
    {"spec", "overhead", Kind::Quantities, {}, {}},
    {"container", "env", Kind::List, {}, "name"},
    {"container", "envFrom", Kind::List, {}, {}},
    {"container", "volumeMounts", Kind::List, {}, "mountPath"},
    {"container", "volumeDevices", Kind::List, {}, "devicePath"},
    {"container", "ports", Kind::List, {}, {}},
    {"container", "resources", Kind::Map, "resources", {}},
    {"container", "securityContext", Kind::Map, {}, {}},
    {"container", "livenessProbe", Kind::Map, {}, {}},
    {"container", "readinessProbe", Kind::Map, {}, {}},
    {"container", "startupProbe", Kind::Map, {}, {}},
    {"container", "lifecycle", Kind::Map, {}, {}},
    {"resources", "requests", Kind::Quantities, {}, {}},
    {"resources", "limits", Kind::Quantities, {}, {}},
    {"resources", "claims", Kind::List, {}, "name"},
};

class Shape {
 public:
  explicit Shape(std::vector<Problem>& problems) : problems_(problems), most_(problems.size() + kMostProblems) {}

  /// `value` is a map.
  void check(const Value& value, std::string_view what, const std::string& path) {
    for (const auto& member : kMembers) {
      if (member.of != what) continue;
      const auto* v = value.find(member.name);
      if (v != nullptr && !v->is_null()) check(*v, member, fmt::format("{}.{}", path, member.name));
    }
  }

 private:
  void add(const std::string& path, const Value& v, std::string_view wanted) {
    if (problems_.size() < most_) problems_.push_back({path, fmt::format("{} is not {}", v.shown(), wanted)});
  }

  void check(const Value& value, const Member& member, const std::string& path) {
    if (member.kind == Kind::List) return check_list(value, member, path);
    const auto* map = value.as<Value::Map>();
    if (map == nullptr) return add(path, value, "a map");
    for (const auto& one : *map) {
      const auto here = fmt::format("{}[\"{}\"]", path, one.key.substr(0, 100));
      const bool text = one.value.as<std::string>() != nullptr;
      const bool number = one.value.as<std::int64_t>() != nullptr || one.value.as<double>() != nullptr;
      if (one.value.is_null()) continue;  // removes it
      if (member.kind == Kind::Texts && !text) add(here, one.value, number ? "text; put it in quotes" : "text");
      if (member.kind == Kind::Quantities && !text && !number) add(here, one.value, "a quantity");
    }
    if (!member.content.empty()) check(value, member.content, path);
  }

  void check_list(const Value& value, const Member& member, const std::string& path) {
    const auto* list = value.as<Value::List>();
    if (list == nullptr) return add(path, value, "a list");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto& item = (*list)[i];
      const auto here = fmt::format("{}[{}]", path, i);
      if (item.as<Value::Map>() == nullptr) {
        add(here, item, "a map");
        continue;
      }
      const auto* key = member.key.empty() ? nullptr : item.find(member.key);
      if (!member.key.empty() && (key == nullptr || key->as<std::string>() == nullptr))
        add(fmt::format("{}.{}", here, member.key), key == nullptr ? Value{} : *key, "text");
      if (!member.content.empty()) check(item, member.content, here);
    }
  }

  std::vector<Problem>& problems_;
  std::size_t most_;
};

void check_size(const Value& value, const std::string& path, std::vector<Problem>& problems) {
  if (value.is_null()) return;
  if (const auto bytes = config::to_json(value).size(); bytes > kMostBytes)
    problems.push_back({path, fmt::format("has {} bytes, more than {}", bytes, kMostBytes)});
}

}  // namespace

void check_pod_shape(const Agent& agent, const std::string& path, std::vector<Problem>& problems) {
  check_size(agent.pod_template, path + ".podTemplate", problems);
  check_size(agent.resources, path + ".resources", problems);
  Shape(problems).check(agent.pod_template, "", path + ".podTemplate");
  Shape(problems).check(agent.resources, "resources", path + ".resources");
}

}  // namespace datasync::api
