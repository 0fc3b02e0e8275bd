#pragma once
// JSON that comes from outside. The library parses any depth without recursion, but copies, compares and prints by
// recursion: one value of many brackets would overflow the stack of the thread that touches it, and end the process.

#include <string_view>

#include <nlohmann/json.hpp>

namespace datasync::api {

/// How deep the innermost value lies: 0 for a scalar, 2 for `{"a": []}`. Counts brackets outside of texts, also where
/// the text is no JSON.
std::size_t depth_of(std::string_view text) noexcept;

/// The value, or a discarded one (`is_discarded()`) when the text is no JSON or deeper than `most_depth`.
nlohmann::json parse_bounded(std::string_view text, std::size_t most_depth);

/// The value without what lies deeper than `most_depth`, so that one deep object does not cost a whole list.
/// Discarded when the text is no JSON.
nlohmann::json parse_pruned(std::string_view text, std::size_t most_depth);

}  // namespace datasync::api
