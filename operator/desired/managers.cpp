#include "operator/desired/managers.hpp"

#include <algorithm>

namespace datasync::desired {
namespace {

std::string text(const Json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool is_former(const Json& entry) {
  const auto name = text(entry, "manager");
  return text(entry, "operation") == "Apply" && name.size() > kFieldManager.size() + 1 &&
         name.starts_with(kFieldManager) && name[kFieldManager.size()] == '/';
}

bool is_same_set(const Json& a, const Json& b) {
  return text(a, "apiVersion") == text(b, "apiVersion") && text(a, "subresource") == text(b, "subresource");
}

/// The union of two sets of fields: a set is a tree of its paths (k8s.io/apimachinery meta/v1 FieldsV1).
void add_fields(Json& to, const Json& from) {
  if (!from.is_object()) return;
  if (!to.is_object()) to = Json::object();
  for (const auto& [key, below] : from.items()) add_fields(to[key], below);
}

}  // namespace

Json former_managers(const Json& managed_fields) {
  auto out = Json::array();
  if (!managed_fields.is_array()) return out;
  for (const auto& entry : managed_fields)
    if (is_former(entry)) out.push_back({{"manager", text(entry, "manager")}, {"operation", "Apply"}});
  return out;
}

bool has_former_manager(const Json& object) {
  const auto meta = object.find("metadata");
  if (meta == object.end() || !meta->is_object() || !meta->contains("managedFields")) return false;
  const auto& entries = meta->at("managedFields");
  return entries.is_array() && std::ranges::any_of(entries, is_former);
}

std::optional<Json> taken_over(const Json& managed_fields) {
  if (!managed_fields.is_array() || std::ranges::none_of(managed_fields, is_former)) return std::nullopt;
  auto out = Json::array();
  for (const auto& entry : managed_fields) {
    const bool former = is_former(entry);
    const bool ours = text(entry, "manager") == kFieldManager && text(entry, "operation") == "Apply";
    if (!former && !ours) {
      out.push_back(entry);
      continue;
    }
    const auto same = [&](const Json& other) {
      return text(other, "manager") == kFieldManager && text(other, "operation") == "Apply" &&
             is_same_set(other, entry);
    };
    const auto at = std::ranges::find_if(out, same);
    if (at == out.end()) {
      out.push_back(entry);
      out.back()["manager"] = kFieldManager;
      continue;
    }
    add_fields((*at)["fieldsV1"], entry.value("fieldsV1", Json::object()));
    if (text(entry, "time") > text(*at, "time")) (*at)["time"] = entry.at("time");
  }
  return out;
}

}  // namespace datasync::desired
