#pragma once
// Text in character sets of the server: ENUM and SET labels are in that of their column in the table map, statements in
// that of the client; schemas and names are UTF-8.

#include <cstddef>
#include <cstdint>
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

/// The character set of a collation's id; empty for an id that is not known here. The ids are those of MariaDB:
/// information_schema.collation_character_set_applicability of 10.11.
std::string_view charset_of_collation(std::uint32_t id) noexcept;

/// How the bytes of a client's character set are cut into characters: whether a byte that looks like ASCII is ASCII.
enum class CharacterBytes : std::uint8_t {
  Plain,  ///< bytes below 0x80 are ASCII wherever they are
  Gbk,    ///< in these, the second byte of a character may look like ASCII, also like ` and \.
  Big5,
  Sjis,  ///< also cp932
  Euckr,
  Foreign,  ///< bytes below 0x80 may be something else: swe7, the wide ones, and what is not known
};
CharacterBytes character_bytes(std::string_view charset) noexcept;
/// How many bytes the character has that begins with `first`, followed by `second`: 1 or 2. UTF-8 counts as bytes.
std::size_t character_length(CharacterBytes bytes, unsigned char first, unsigned char second) noexcept;
/// True when the byte A0 is a (no-break) space for the server's lexer.
bool has_hard_space(std::string_view charset) noexcept;

}  // namespace datasync::binlog
