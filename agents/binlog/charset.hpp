#pragma once
// Text in the server's character sets: ENUM and SET labels in the table map are in the character set of their column,
// statements are in that of the client; schemas and names are UTF-8.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace datasync::binlog {

/// Converts text of a character set that this layer does not support to UTF-8; nullopt when it cannot.
using ToUtf8 = std::function<std::optional<std::string>(std::string_view charset, std::string_view text)>;

/// Converts `text` to UTF-8. Supported here: utf8mb3, utf8mb4, ascii, latin1 (which is cp1252), ucs2, utf16, utf16le,
/// utf32, "binary" that is valid UTF-8, and pure ASCII in any other character set that stores ASCII unchanged. `other`
/// converts the rest and may be empty.
std::optional<std::string> to_utf8(std::string_view charset, std::string_view text, const ToUtf8& other);

/// Returns true for well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

/// Returns the character set of a collation id; empty for an id that is not known here. The ids are those of MariaDB:
/// information_schema.collation_character_set_applicability of 10.11.
std::string_view charset_of_collation(std::uint32_t id) noexcept;

/// How the bytes of a client's character set form characters: whether a byte in the ASCII range is always an ASCII
/// character.
enum class CharacterBytes : std::uint8_t {
  Plain,  ///< bytes below 0x80 are always ASCII
  Gbk,    ///< here and in the next three, the second byte of a character may be an ASCII byte, some even ` or \.
  Big5,
  Sjis,  ///< also cp932
  Euckr,
  Foreign,  ///< bytes below 0x80 may not be ASCII: swe7, the wide character sets, and unknown ones
};
/// Returns how characters are formed in `charset`.
CharacterBytes character_bytes(std::string_view charset) noexcept;
/// Returns how many bytes the character has that begins with `first`, followed by `second`: 1 or 2. In UTF-8 each byte
/// counts as a character.
std::size_t character_length(CharacterBytes bytes, unsigned char first, unsigned char second) noexcept;
/// Returns true when the server's lexer treats the byte A0 as a (no-break) space.
bool has_hard_space(std::string_view charset) noexcept;

}  // namespace datasync::binlog
