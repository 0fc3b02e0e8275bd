#include "operator/api/crd.hpp"

#include <algorithm>
#include <limits>

#include "operator/api/read.hpp"
#include "operator/api/to_yaml.hpp"

namespace datasync::api {
namespace {

using Json = nlohmann::ordered_json;
using config::FieldInfo;

constexpr std::string_view kHead =
    "# Made from operator/api (resource_fields, descriptions, cel_rules, status_fields) by the unit test of crd.cpp:\n"
    "# UPDATE_CRD=1 writes it again.\n";

// The node of a path like "spec.source.types[].keyColumns{}[]", made when it is not there.
Json& node(Json& root, std::string_view path) {
  Json* at = &root;
  while (!path.empty()) {
    if (path.starts_with("[]")) {
      at = &(*at)["items"];
      path.remove_prefix(2);
    } else if (path.starts_with("{}")) {
      at = &(*at)["additionalProperties"];
      path.remove_prefix(2);
    } else {
      if (path.front() == '.') path.remove_prefix(1);
      const auto end = std::min(path.find_first_of(".[{"), path.size());
      at = &(*at)["properties"][std::string(path.substr(0, end))];
      path.remove_prefix(end);
    }
  }
  return *at;
}

// The path of the object a field is a member of, and its name; empty for items of lists and maps.
std::pair<std::string_view, std::string_view> parent_of(std::string_view path) {
  const auto dot = path.rfind('.');
  if (path.ends_with(']') || path.ends_with('}')) return {};
  return dot == path.npos ? std::pair(std::string_view{}, path) : std::pair(path.substr(0, dot), path.substr(dot + 1));
}

void put_count(Json& n, const config::Count& count, const char* least, const char* most) {
  if (count.at_least > 0) n[least] = count.at_least;
  if (count.at_most != std::numeric_limits<std::size_t>::max()) n[most] = count.at_most;
}

void put_text(Json& n, const FieldInfo& f) {
  if (!f.choices.empty()) {
    for (const auto c : f.choices) n["enum"].push_back(c);
    return;
  }
  if (!f.may_be_empty) n["minLength"] = 1;
  if (f.longest > 0) n["maxLength"] = f.longest;
  if (!f.regex.empty()) n["pattern"] = (f.may_be_empty ? "^$|" : "") + std::string(f.regex);
}

void put_integer(Json& n, const FieldInfo& f) {
  n["format"] = f.range.max <= std::numeric_limits<std::int32_t>::max() ? "int32" : "int64";
  n["minimum"] = f.range.min;
  n["maximum"] = f.range.max;
}

void put_field(Json& root, const FieldInfo& f) {
  auto& n = node(root, f.path);
  const bool map = f.type == "map" || f.type == "any";
  n["type"] = map ? "object" : f.type;
  if (f.type == "any") n["x-kubernetes-preserve-unknown-fields"] = true;
  if (f.type == "string") put_text(n, f);
  if (f.type == "integer") put_integer(n, f);
  if (f.type == "array") put_count(n, f.count, "minItems", "maxItems");
  if (f.type == "map") put_count(n, f.count, "minProperties", "maxProperties");
  if (!f.key_regex.empty()) {
    Json rule{{"rule", "self.all(key, key.matches(r'" + std::string(f.key_regex) + "'))"},
              {"message", "a key is not DATABASE.TABLE"}};
    n["x-kubernetes-validations"].push_back(std::move(rule));
  }
  if (!f.default_text.empty()) n["default"] = Json::parse(f.default_text);
  const auto [parent, name] = parent_of(f.path);
  if (f.required && !name.empty()) node(root, parent)["required"].push_back(name);
}

// An object that is there even when it is not written gets {} as its default, so that its members have theirs.
void default_objects(Json& root, const std::vector<FieldInfo>& fields) {
  for (auto f = fields.rbegin(); f != fields.rend(); ++f) {
    auto& n = node(root, f->path);
    if (f->type != "object" || f->required || f->presence || f->path.ends_with(']')) continue;
    if (!n.contains("properties")) continue;
    const auto& members = n["properties"];
    if (std::ranges::any_of(members, [](const Json& m) { return m.contains("default"); }))
      n["default"] = Json::object();
  }
}

// Lists that are sets or maps: no entry stands twice, and two managers of fields can each have entries.
void put_list_kinds(Json& root) {
  const auto map = [&root](std::string_view path, std::initializer_list<const char*> keys) {
    auto& n = node(root, path);
    n["x-kubernetes-list-type"] = "map";
    n["x-kubernetes-list-map-keys"] = keys;
  };
  map("spec.source.replicas", {"host", "port"});
  map("spec.source.types", {"name"});
  map("status.conditions", {"type"});
  for (const auto* path : {"spec.types", "spec.source.types[].tables", "spec.source.types[].excludeColumns",
                           "spec.source.types[].keyColumns{}"}) {
    node(root, path)["x-kubernetes-list-type"] = "set";
  }
}

void put_status(Json& root) {
  auto& status = node(root, "status");
  status["description"] = "The observed state, as the operator reports it.";
  status["type"] = "object";
  for (const auto& f : status_fields()) {
    auto& n = node(status, f.path);
    n["description"] = f.text;
    n["type"] = f.type;
    if (f.type == "integer") n["format"] = "int64";
  }
  for (const auto* path : {"capture", "apply"}) node(status, path)["x-kubernetes-preserve-unknown-fields"] = true;
  node(status, "conditions[].lastTransitionTime")["format"] = "date-time";
  node(status, "conditions[].status")["enum"] = {"True", "False", "Unknown"};
  node(status, "conditions[]")["required"] = {"type", "status", "lastTransitionTime", "reason"};
}

Json schema() {
  Json root;
  root["description"] =
      "DataSync replicates the rows of selected tables, by type, from a database to another one through a Kafka topic, "
      "each exactly once.";
  root["type"] = "object";
  root["required"] = {"spec"};
  auto& top = root["properties"];
  top["apiVersion"] = {{"type", "string"}, {"description", "datasync.dev/v1alpha1"}};
  top["kind"] = {{"type", "string"}, {"description", "DataSync"}};
  top["metadata"] = {{"type", "object"}};
  for (const auto& d : descriptions()) {
    auto& n = node(root, d.path);
    n["description"] = d.text;
    n["type"] = "object";  // so that it stands before the members; put_field says the right one
  }
  auto fields = resource_fields();
  std::erase_if(fields, [](const FieldInfo& f) { return !f.path.starts_with("spec.") || f.path == "spec"; });
  for (const auto& f : fields) put_field(root, f);
  default_objects(root, fields);
  put_status(root);
  put_list_kinds(root);
  for (const auto& r : cel_rules()) {
    Json rule{{"rule", r.rule}, {"message", r.message}};
    if (!r.field.empty()) rule["fieldPath"] = r.field;
    node(root, r.path)["x-kubernetes-validations"].push_back(std::move(rule));
  }
  return root;
}

Json columns() {
  const auto condition = [](std::string_view type, std::string_view field) {
    return ".status.conditions[?(@.type==\"" + std::string(type) + "\")]." + std::string(field);
  };
  return Json::array({
      {{"name", "Ready"}, {"type", "string"}, {"jsonPath", condition("Ready", "status")}},
      {{"name", "Status"}, {"type", "string"}, {"jsonPath", condition("Ready", "reason")}},
      {{"name", "Source"}, {"type", "string"}, {"jsonPath", ".status.source"}},
      {{"name", "Lag"}, {"type", "string"}, {"jsonPath", ".status.lag"}},
      {{"name", "Rows"}, {"type", "integer"}, {"jsonPath", ".status.rows"}},
      {{"name", "Age"}, {"type", "date"}, {"jsonPath", ".metadata.creationTimestamp"}},
      {{"name", "Message"}, {"type", "string"}, {"priority", 1}, {"jsonPath", condition("Ready", "message")}},
  });
}

}  // namespace

Json crd() {
  Json version{{"name", "v1alpha1"}, {"served", true}, {"storage", true}};
  version["schema"]["openAPIV3Schema"] = schema();
  version["subresources"]["status"] = Json::object();
  version["additionalPrinterColumns"] = columns();
  Json out{{"apiVersion", "apiextensions.k8s.io/v1"}, {"kind", "CustomResourceDefinition"}};
  out["metadata"]["name"] = "datasyncs.datasync.dev";
  out["spec"] = {{"group", "datasync.dev"}, {"scope", "Namespaced"}};
  out["spec"]["names"] = {{"kind", "DataSync"},     {"listKind", "DataSyncList"}, {"plural", "datasyncs"},
                          {"singular", "datasync"}, {"shortNames", {"dsync"}},    {"categories", {"datasync"}}};
  out["spec"]["versions"].push_back(std::move(version));
  return out;
}

std::string crd_yaml() {
  return std::string(kHead) + to_yaml(crd());
}

}  // namespace datasync::api
