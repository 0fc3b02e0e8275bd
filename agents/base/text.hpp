#pragma once
// Texts of a limited length, and bytes as text.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace datasync::base {

/// At most `most` bytes of a text of UTF-8, never cut within a character. What is too long loses its middle: a message
/// begins with what it is about and ends with what to do. Pure.
std::string cut_middle(std::string text, std::size_t most);

/// Two lowercase hexadecimal digits for each byte. Pure.
std::string to_hex(std::string_view bytes);
/// Takes digits of both cases; nothing for what is not of this form. Pure.
std::optional<std::string> from_hex(std::string_view hex);

}  // namespace datasync::base
