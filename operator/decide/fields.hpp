#pragma once
// Fields of objects that anybody may have written: what is missing or of another type reads as empty. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "operator/desired/names.hpp"

namespace datasync::decide::fields {

using desired::Json;

/// Null when the object has no such member, or is none.
const Json& member(const Json& object, const char* key);
std::string text(const Json& object, const char* key);
std::int64_t number(const Json& object, const char* key, std::int64_t otherwise = 0);
/// Of status.conditions, the first of this type. Null: there is none.
const Json* condition(const Json& object, std::string_view type);

}  // namespace datasync::decide::fields
