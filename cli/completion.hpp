#pragma once
// Shell completion, computed from the command line definition, so that it is never out of date.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace datasync::cli {

/// Returns the command of that name, or null.
const CLI::App* find_command(const CLI::App& app, const std::string& name);

/// Returns the candidates for the last word: commands, options, choices of an option, or names (`names_of` returns the
/// resources of a namespace, empty: the default one). No candidate means a file name.
std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const std::function<std::vector<std::string>(const std::string& ns)>& names_of);

/// Returns the script for "bash" or "zsh"; empty for another shell.
std::string_view completion_script(std::string_view shell);

}  // namespace datasync::cli
