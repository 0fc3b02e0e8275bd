// datasync: runs, checks and looks into DataSync resources without Kubernetes.
#include <iostream>

#include <CLI/CLI.hpp>

#include "agents/base/stop.hpp"
#include "operator/cli/run.hpp"
#include "operator/cli/validate.hpp"

namespace {

using namespace datasync;

int usage_error(const CLI::App& app, const CLI::Error& error) {
  return app.exit(error) == 0 ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"DataSync: replicates the rows of chosen tables exactly once through Kafka."};
  app.require_subcommand(1);
  app.set_version_flag("--version", DATASYNC_VERSION);

  cli::RunOptions run;
  auto* run_command = app.add_subcommand("run", "Run the agents of DataSync resources as child processes");
  run_command->add_option("-f,--file", run.files, "YAML file with DataSync resources; - is the standard input")
      ->required();
  run_command->add_option("--secrets", run.secrets_dir, "Folder with the secrets, DIR/secretName/key")
      ->capture_default_str();
  run_command->add_option("--state-dir", run.state_dir,
                          "Keep configurations and logs here (default: a temporary folder)");
  run_command->add_option("--agents-dir", run.agents_dir,
                          "Where datasync-capture and datasync-apply are (default: here)");
  run_command->add_option("--log-level", run.log_level, "Of the agents")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  run_command->add_flag("--plain", run.plain, "Lines instead of a table, also on a terminal");

  std::vector<std::filesystem::path> files;
  auto* validate_command = app.add_subcommand("validate", "Check DataSync resources and print every error");
  validate_command->add_option("-f,--file", files, "YAML file with DataSync resources; - is the standard input")
      ->required();

  auto* version_command = app.add_subcommand("version", "Print the version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& e) {
    return usage_error(app, e);
  }
  if (*version_command) {
    std::cout << "datasync " << DATASYNC_VERSION << '\n';
    return 0;
  }
  if (*validate_command) return cli::validate(files, std::cout);
  return cli::run(run, base::stop_on_signals());
}
