#pragma once
// The command line of `datasync` and `kubectl datasync`: what can be said, and what is done then.

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

/// The whole command line; what is parsed goes to `a`, which must outlive it.
std::unique_ptr<CLI::App> command_line(Arguments& a);

/// Does what was parsed. Returns the exit code.
int perform(const CLI::App& app, Arguments& a);

/// A message when the first word is no command, with the one that was probably meant; empty when it is one.
std::string unknown_command(const CLI::App& app, const std::string& word);

}  // namespace datasync::cli
