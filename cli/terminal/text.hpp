#pragma once
// Text in columns.

#include <string>
#include <string_view>
#include <vector>

namespace datasync::cli {

/// Control characters become '?': text from outside cannot move the cursor.
std::string clean(std::string_view text);

/// Characters on the screen (UTF-8).
std::size_t shown_width(std::string_view text);

/// Cut at `width` characters, the last of them "~" when something was cut; UTF-8 stays whole.
std::string cut(std::string_view text, std::size_t width);

/// Exactly `width` characters, cut or filled with spaces.
std::string pad(std::string_view text, std::size_t width, bool right = false);

/// Rows in columns as wide as their widest cell, two spaces between, after `indent` spaces; the last column is as long
/// as it is. Cells are cleaned. No spaces at the ends of lines.
std::string columns(const std::vector<std::vector<std::string>>& rows, std::size_t indent);

}  // namespace datasync::cli
