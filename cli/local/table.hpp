#pragma once
// The live table of `datasync run`, as text: no terminal, no clock.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/local/view.hpp"

namespace datasync::cli {

/// Returns the lines of the table, each at most `width` characters on the screen. With `color`, states have colors by
/// ANSI sequences, which have no width. Text from outside cannot move the cursor: control characters become '?'.
std::vector<std::string> render(const std::vector<AgentView>& agents, std::size_t width, bool color);

/// Returns one line for output without a terminal: state, reason, message and the figures.
std::string plain_line(const AgentView& agent);

/// Returns e.g. "1,234,567".
std::string grouped(std::uint64_t n);
/// Returns e.g. "0.2s", "45s", "3m20s", "5h07m", "12d".
std::string duration(double seconds);

}  // namespace datasync::cli
