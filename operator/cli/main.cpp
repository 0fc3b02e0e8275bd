// datasync: runs, checks and looks into DataSync resources without Kubernetes.
#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>

#include "agents/base/log.hpp"
#include "agents/base/stop.hpp"
#include "operator/cli/run.hpp"
#include "operator/cli/tail.hpp"
#include "operator/cli/validate.hpp"

namespace {

using namespace datasync;

struct TailArguments {
  cli::TailOptions options;
  std::string bootstrap;
  std::filesystem::path file;
  std::filesystem::path secrets_dir = "secrets";
  std::string key;
};

CLI::App* add_run(CLI::App& app, cli::RunOptions& o) {
  auto* c = app.add_subcommand("run", "Run the agents of DataSync resources as child processes");
  c->add_option("-f,--file", o.files, "YAML file with DataSync resources; - is the standard input")->required();
  c->add_option("--secrets", o.secrets_dir, "Folder with the secrets, DIR/secretName/key")->capture_default_str();
  c->add_option("--state-dir", o.state_dir, "Keep configurations and logs here (default: a temporary folder)");
  c->add_option("--agents-dir", o.agents_dir, "Where datasync-capture and datasync-apply are (default: here)");
  c->add_option("--log-level", o.log_level, "Of the agents")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  c->add_flag("--plain", o.plain, "Lines instead of a table, also on a terminal");
  return c;
}

CLI::App* add_validate(CLI::App& app, std::vector<std::filesystem::path>& files) {
  auto* c = app.add_subcommand("validate", "Check DataSync resources and print every error");
  c->add_option("-f,--file", files, "YAML file with DataSync resources; - is the standard input")->required();
  return c;
}

CLI::App* add_tail(CLI::App& app, TailArguments& a) {
  auto* c =
      app.add_subcommand("tail", "Print the records of a topic as JSON lines, the last ten unless told otherwise");
  auto* bootstrap = c->add_option("--bootstrap", a.bootstrap, "HOST:PORT of a broker without TLS and SASL");
  c->add_option("--file", a.file, "Take brokers, topic, TLS and SASL from this resource")->excludes(bootstrap);
  c->add_option("--secrets", a.secrets_dir, "Folder with the secrets of --file")->capture_default_str();
  c->add_option("--topic", a.options.topic, "The topic; NAME.state is its state topic");
  c->add_option("--partition", a.options.partition, "Only this one")->check(CLI::NonNegativeNumber);
  c->add_option("--type", a.options.filter.type, "Only records of this type");
  c->add_option("--table", a.options.filter.table, "Only rows of DATABASE.TABLE");
  c->add_option("--gtid", a.options.filter.gtid, "Only rows of this source transaction");
  c->add_option("--key", a.key, "Only rows with COLUMN=VALUE, before or after the change");
  auto* beginning = c->add_flag("--from-beginning", a.options.from_beginning, "Start at the first record");
  c->add_option("--offset", a.options.offset, "Start here; -N: N records before the end")->excludes(beginning);
  c->add_flag("-F,--follow", a.options.follow, "Go on when the end is reached");
  c->add_option("--max", a.options.max, "End after this many lines");
  return c;
}

int tail(TailArguments& a) {
  if (!a.key.empty()) {
    const auto at = a.key.find('=');
    if (at == a.key.npos || at == 0) {
      std::cerr << "--key: \"" << a.key << "\" is not COLUMN=VALUE\n";
      return 2;
    }
    a.options.filter.key.emplace(a.key.substr(0, at), a.key.substr(at + 1));
  }
  if (a.file.empty() && (a.bootstrap.empty() || a.options.topic.empty())) {
    std::cerr << "tail needs --bootstrap and --topic, or --file\n";
    return 2;
  }
  base::log::init("tail", base::log::Level::Error, base::log::Format::Text);
  std::stop_source stop;
  const std::stop_callback on_signal(base::stop_on_signals(), [&stop] { stop.request_stop(); });
  kafka::Access plain;
  plain.bootstrap_servers = a.bootstrap;
  const auto access = a.file.empty() ? base::Result<kafka::Access>(std::move(plain))
                                     : cli::channel_of(a.file, a.secrets_dir, a.options.topic);
  const auto print = [&stop](std::string_view line) {
    std::cout << line << '\n';
    std::cout.flush();
    if (!std::cout) stop.request_stop();  // nobody reads any more: `datasync tail | head`
  };
  const auto done =
      access ? cli::tail(*access, a.options, stop.get_token(), print) : base::Result<void>(access.error());
  if (done) return 0;
  std::cerr << base::to_string(done.error().reason) << ": " << done.error().what << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"DataSync: replicates the rows of chosen tables exactly once through Kafka."};
  app.require_subcommand(1);
  app.set_version_flag("--version", DATASYNC_VERSION);
  cli::RunOptions run;
  std::vector<std::filesystem::path> files;
  TailArguments tail_arguments;
  const auto* run_command = add_run(app, run);
  const auto* validate_command = add_validate(app, files);
  const auto* tail_command = add_tail(app, tail_arguments);
  app.add_subcommand("version", "Print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Error& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (*run_command) return cli::run(run, base::stop_on_signals());
  if (*validate_command) return cli::validate(files, std::cout);
  if (*tail_command) return tail(tail_arguments);
  std::cout << "datasync " << DATASYNC_VERSION << '\n';
  return 0;
}
