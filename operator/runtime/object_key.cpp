// What every Kubernetes object says of itself in its metadata.

#include "operator/runtime/informer.hpp"

namespace datasync::runtime {
namespace {

const Json* member(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nullptr : &*found;
}

std::string meta_text(const Json& object, const char* key) {
  const auto* meta = member(object, "metadata");
  const auto* value = meta != nullptr ? member(*meta, key) : nullptr;
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

ObjectKey key_of(const Json& object) {
  return {meta_text(object, "namespace"), meta_text(object, "name")};
}

std::string resource_version_of(const Json& object) {
  return meta_text(object, "resourceVersion");
}

void trim_managed_fields(Json& object) {
  const auto meta = object.find("metadata");
  if (meta != object.end() && meta->is_object()) meta->erase("managedFields");
}

}  // namespace datasync::runtime
