#pragma once
// Texts of a limited length.

#include <cstddef>
#include <string>

namespace datasync::base {

/// At most `most` bytes of a text of UTF-8, never cut within a character. What is too long loses its middle: a message
/// begins with what it is about and ends with what to do. Pure.
std::string cut_middle(std::string text, std::size_t most);

}  // namespace datasync::base
