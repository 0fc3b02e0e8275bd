#pragma once
// Formats text in columns.

#include <string>
#include <string_view>
#include <vector>

namespace datasync::cli {

/// Replaces control characters with '?', so that text from outside cannot move the cursor.
std::string clean(std::string_view text);

/// Returns the number of characters on the screen (UTF-8).
std::size_t shown_width(std::string_view text);

/// Truncates the text to `width` characters, the last of them "~" when something was cut; UTF-8 sequences stay
/// complete.
std::string cut(std::string_view text, std::size_t width);

/// Returns exactly `width` characters, truncated or padded with spaces.
std::string pad(std::string_view text, std::size_t width, bool right = false);

/// Formats rows in columns as wide as their widest cell, with two spaces between them, after `indent` spaces; the last
/// column is not padded. Cells are cleaned. Lines have no spaces at their ends.
std::string columns(const std::vector<std::vector<std::string>>& rows, std::size_t indent);

}  // namespace datasync::cli
