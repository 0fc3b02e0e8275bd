#include "operator/desired/merge.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace datasync::desired {
namespace {

/// patchMergeKey of the lists in a PodTemplateSpec (k8s.io/api/core/v1 types.go). The others are replaced.
constexpr std::pair<std::string_view, std::string_view> kMergeKeys[] = {
    {"containers", "name"},
    {"initContainers", "name"},
    {"env", "name"},
    {"volumes", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"ports", "containerPort"},
    {"imagePullSecrets", "name"},
    {"hostAliases", "ip"},
    {"topologySpreadConstraints", "topologyKey"},
    {"resourceClaims", "name"},
};

std::string_view merge_key(std::string_view field) {
  const auto* at = std::ranges::find(kMergeKeys, field, &std::pair<std::string_view, std::string_view>::first);
  return at == std::end(kMergeKeys) ? std::string_view{} : at->second;
}

Json without_nulls(const Json& value) {
  if (!value.is_object()) return value;
  auto out = Json::object();
  for (const auto& [key, member] : value.items())
    if (!member.is_null()) out[key] = without_nulls(member);
  return out;
}

Json merge_field(const Json& base, const Json& patch, std::string_view field);

Json merge_items(const Json& base, const Json& patch, const std::string& key) {
  auto out = base;
  for (const auto& item : patch) {
    const auto same = [&](const Json& other) {
      return other.is_object() && item.contains(key) && other.value(key, Json()) == item.at(key);
    };
    const auto at = item.is_object() ? std::ranges::find_if(out, same) : out.end();
    if (at == out.end()) {
      out.push_back(without_nulls(item));
    } else {
      *at = merge_field(*at, item, {});
    }
  }
  return out;
}

Json merge_field(const Json& base, const Json& patch, std::string_view field) {
  if (base.is_object() && patch.is_object()) {
    auto out = base;
    for (const auto& [key, value] : patch.items()) {
      if (value.is_null()) {
        out.erase(key);
      } else {
        out[key] = out.contains(key) ? merge_field(out.at(key), value, key) : without_nulls(value);
      }
    }
    return out;
  }
  const auto key = merge_key(field);
  if (base.is_array() && patch.is_array() && !key.empty()) return merge_items(base, patch, std::string(key));
  return without_nulls(patch);
}

bool is_empty(const Json& value) {
  if (value.is_number()) return value == 0;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  if (value.is_object()) return std::ranges::all_of(value, is_empty);
  return value.is_null() || value.empty();
}

/// A resource quantity in its base unit: the server may write 1000m as 1. Numbers are quantities too.
std::optional<double> quantity(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},   {"k", 1e3},     {"M", 1e6},
      {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},   {"Ki", 0x1p10}, {"Mi", 0x1p20},
      {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60}};
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const auto number = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) return std::nullopt;
  const auto* unit = std::ranges::find(kUnits, std::string_view(end), &std::pair<std::string_view, double>::first);
  return unit == std::end(kUnits) ? std::nullopt : std::optional(number * unit->second);
}

bool same_scalar(const Json& live, const Json& wanted) {
  if (live == wanted) return true;
  const auto a = quantity(live);
  const auto b = quantity(wanted);
  return a && b && std::abs(*a - *b) <= 1e-9 * std::max(std::abs(*a), std::abs(*b));
}

}  // namespace

Json merge(const Json& base, const Json& patch) {
  return patch.is_object() ? merge_field(base, patch, {}) : base;
}

bool covers(const Json& live, const Json& wanted) {
  if (wanted.is_object()) {
    if (!live.is_object()) return false;
    for (const auto& [key, value] : wanted.items()) {
      const auto at = live.find(key);
      if (at == live.end() ? !is_empty(value) : !covers(*at, value)) return false;
    }
    return true;
  }
  if (wanted.is_array()) {
    if (!live.is_array() || live.size() < wanted.size()) return false;
    // Others may add items (a sidecar, a second owner); ours need not stay in front.
    return std::ranges::all_of(wanted, [&](const Json& item) {
      return std::ranges::any_of(live, [&](const Json& other) { return covers(other, item); });
    });
  }
  return same_scalar(live, wanted);
}

std::string hash(const Json& object) {
  const auto text = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

}  // namespace datasync::desired
