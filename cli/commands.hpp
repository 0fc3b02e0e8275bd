#pragma once
// The command line of `datasync` and `kubectl datasync`: its syntax, and the execution of a parsed command.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/cluster/cluster.hpp"
#include "cli/local/run.hpp"
#include "cli/topic/tail.hpp"

namespace datasync::cli {

struct TailArguments {
  TailOptions options;
  std::string bootstrap;
  std::filesystem::path file;
  std::filesystem::path secrets_dir = "secrets";
  std::string key;
};

struct ClusterArguments {
  std::string name;
  std::string ns;
  std::string context;
  std::string kubeconfig;
  StatusOptions status;
  std::filesystem::path report_file;
};

/// The parsed values of all commands.
struct Arguments {
  RunOptions run;
  std::vector<std::filesystem::path> files;
  TailArguments tail;
  ClusterArguments cluster;
  std::string shell;
  std::string url;
  int probe_within{0};  ///< seconds
  std::vector<std::string> words;
};

/// Returns the whole command line; parsed values are written to `a`, which must outlive it.
std::unique_ptr<CLI::App> command_line(Arguments& a);

/// Executes the parsed command. Returns the exit code.
int perform(const CLI::App& app, Arguments& a);

/// Returns a message when the first word is not a command, with the command that was probably meant; otherwise an empty
/// text.
std::string unknown_command(const CLI::App& app, const std::string& word);

}  // namespace datasync::cli
