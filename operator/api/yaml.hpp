#pragma once

#include <string_view>
#include <vector>

#include "agents/config/fields.hpp"
#include "agents/config/value.hpp"

namespace datasync::api {

struct YamlDocument {
  std::size_t number = 0;  ///< from 1, empty documents counted
  config::Value value;
  std::vector<config::Problem> problems;
};

/// The documents of a YAML text that are not empty. What readers of YAML understand differently is a problem, with its
/// path and line: a key that stands twice, merge keys, tags, plain scalars like yes, 010 or 0x1F. Size and depth are
/// bounded, aliases included.
/// Errors: ConfigInvalid with line and column when the text is not YAML.
base::Result<std::vector<YamlDocument>> parse_yaml(std::string_view text);

}  // namespace datasync::api
