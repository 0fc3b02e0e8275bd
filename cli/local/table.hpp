#pragma once
// The live table of `datasync run`, as text: no terminal, no clock.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/local/view.hpp"

namespace datasync::cli {

/// The lines of the table, each at most `width` characters on the screen. With `color`, states are coloured by ANSI
/// sequences, which take no room. Text from outside cannot move the cursor: control characters become '?'.
std::vector<std::string> render(const std::vector<AgentView>& agents, std::size_t width, bool color);

/// One line for when there is no terminal: state, reason, message and the figures.
std::string plain_line(const AgentView& agent);

/// "1,234,567"
std::string grouped(std::uint64_t n);
/// "0.2s", "45s", "3m20s", "5h07m", "12d"
std::string duration(double seconds);

}  // namespace datasync::cli
