#pragma once
// ENUM and SET labels stand in the table map in the character set of their column; schemas hold UTF-8.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace datasync::binlog {

/// Converts text of a character set this layer does not know itself to UTF-8; nothing when it cannot.
using ToUtf8 = std::function<std::optional<std::string>(std::string_view charset, std::string_view text)>;

/// `text` in UTF-8. Known here: utf8mb3, utf8mb4, ascii, latin1 (which is cp1252), ucs2, utf16, utf16le, utf32,
/// "binary" that happens to be UTF-8, and pure ASCII in any other character set that holds ASCII as it is; `other` may
/// be empty.
std::optional<std::string> to_utf8(std::string_view charset, std::string_view text, const ToUtf8& other);

/// Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

}  // namespace datasync::binlog
