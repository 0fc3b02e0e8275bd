#pragma once
// Completion for shells, from the command line itself, so that it cannot be out of date.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace datasync::cli {

/// The command of that name, or null.
const CLI::App* find_command(const CLI::App& app, const std::string& name);

/// What may stand in place of the last word: commands, options, choices of an option, or names (`names_of` is asked for
/// the resources of a namespace, empty: the default one). Nothing: a file name.
std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const std::function<std::vector<std::string>(const std::string& ns)>& names_of);

/// The script for "bash" or "zsh"; empty for another shell.
std::string_view completion_script(std::string_view shell);

}  // namespace datasync::cli
