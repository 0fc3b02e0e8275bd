#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace datasync::api {

/// A document of block YAML that every reader, of YAML 1.1 or 1.2, understands as the same JSON: texts that another
/// reader could take for something else stand in quotes. Bytes that are not UTF-8 become replacement characters.
std::string to_yaml(const nlohmann::ordered_json& value);

}  // namespace datasync::api
