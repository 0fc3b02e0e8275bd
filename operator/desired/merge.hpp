#pragma once
// What users write over what the operator makes.

#include <string>

#include "operator/desired/names.hpp"

namespace datasync::desired {

/// `patch` over `base` as a strategic merge of a pod template: maps by key, null removes, lists with a known key
/// (containers by name, volumeMounts by mountPath...) item by item, every other list as a whole.
Json merge(const Json& base, const Json& patch);

/// Everything that `wanted` says stands in `live`. An empty value may be missing there (the server drops those), and
/// quantities are compared as they would be counted. `live` may hold more.
bool covers(const Json& live, const Json& wanted);

/// 16 hexadecimal digits that change with every value in it.
std::string hash(const Json& object);

}  // namespace datasync::desired
