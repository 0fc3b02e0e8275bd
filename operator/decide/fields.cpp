#include "operator/decide/fields.hpp"

namespace datasync::decide::fields {

const Json& member(const Json& object, const char* key) {
  static const Json kNone;
  const auto at = object.is_object() ? object.find(key) : object.end();
  return at == object.end() ? kNone : *at;
}

std::string text(const Json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number(const Json& object, const char* key, std::int64_t otherwise) {
  const auto& value = member(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

const Json* condition(const Json& object, std::string_view type) {
  for (const auto& c : member(member(object, "status"), "conditions"))
    if (text(c, "type") == type) return &c;
  return nullptr;
}

}  // namespace datasync::decide::fields
