#include "cli/commands.hpp"

#include <chrono>
#include <iostream>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <unistd.h>

#include "agents/base/log.hpp"
#include "agents/base/stop.hpp"
#include "cli/cluster/pod_log.hpp"
#include "cli/completion.hpp"
#include "cli/local/folder.hpp"
#include "cli/local/validate.hpp"
#include "cli/topic/cleanup.hpp"
#include "operator/api/crd.hpp"
#include "operator/kube/client.hpp"

namespace datasync::cli {
namespace {

constexpr const char* kLocal = "Without Kubernetes";
constexpr const char* kCluster = "In a cluster";
constexpr const char* kOther = "Other";
constexpr std::chrono::seconds kProbeAnswer{5};
constexpr std::chrono::milliseconds kProbePause{500};

void add_run(CLI::App& app, RunOptions& o) {
  auto* c = app.add_subcommand("run", "Run the agents of DataSync resources as child processes");
  c->group(kLocal);
  c->add_option("FILE,-f,--file", o.files, "YAML file with DataSync resources; - reads standard input")->required();
  c->add_option("--secrets", o.secrets_dir, "Folder with the secrets as files DIR/secretName/key")
      ->capture_default_str();
  c->add_option("--state-dir", o.state_dir, "Folder for configurations and logs (default: a temporary folder)");
  c->add_option("--agents-dir", o.agents_dir,
                "Folder of datasync-capture and datasync-apply (default: that of this program)");
  c->add_option("--log-level", o.log_level, "Log level of the agents")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  c->add_flag("--plain", o.plain, "Print lines instead of a table, also on a terminal");
}

void add_validate(CLI::App& app, std::vector<std::filesystem::path>& files) {
  auto* c = app.add_subcommand("validate", "Check DataSync resources and print every error");
  c->group(kLocal);
  c->add_option("FILE,-f,--file", files, "YAML file with DataSync resources; - reads standard input")->required();
}

/// Adds the command that the operator's cleanup Job runs.
void add_cleanup(CLI::App& app, std::vector<std::filesystem::path>& files) {
  auto* c = app.add_subcommand("cleanup", "Delete a task's topics and ledger rows; its agents must not run any more");
  c->group("");
  c->add_option("--config", files, "Configuration file of a capture or apply agent; may be given twice")->required();
}

void add_tail(CLI::App& app, TailArguments& a) {
  auto* c = app.add_subcommand("tail", "Print the records of a topic as JSON lines; default: the last ten");
  c->group(kLocal);
  auto* bootstrap = c->add_option("--bootstrap", a.bootstrap, "HOST:PORT of a broker without TLS and SASL");
  c->add_option("--file", a.file, "Use brokers, topic, TLS and SASL of this resource")->excludes(bootstrap);
  c->add_option("--secrets", a.secrets_dir, "Folder with the secrets of --file")->capture_default_str();
  c->add_option("--topic", a.options.topic, "The topic; NAME.state is its state topic");
  c->add_option("--partition", a.options.partition, "Only records of this partition")->check(CLI::NonNegativeNumber);
  c->add_option("--type", a.options.filter.type, "Only records of this type");
  c->add_option("--table", a.options.filter.table, "Only rows of DATABASE.TABLE");
  c->add_option("--gtid", a.options.filter.gtid, "Only rows of this source transaction");
  c->add_option("--key", a.key, "Only rows with COLUMN=VALUE, before or after the change");
  auto* beginning = c->add_flag("--from-beginning", a.options.from_beginning, "Start at the first record");
  c->add_option("--offset", a.options.offset, "Start at this offset; -N: N records before the end")
      ->excludes(beginning);
  c->add_flag("-f,-F,--follow", a.options.follow, "Wait for new records when the end is reached");
  c->add_option("--max", a.options.max, "Exit after this many lines");
}

CLI::App* add_cluster_command(CLI::App& app, ClusterArguments& a, const char* name, const char* what) {
  auto* c = app.add_subcommand(name, what);
  c->group(kCluster);
  c->add_option("NAME", a.name, "Name of the DataSync")->required();
  c->add_option("-n,--namespace", a.ns, "Its namespace (default: the context's)");
  c->add_option("--context", a.context, "Context of the kubeconfig");
  c->add_option("--kubeconfig", a.kubeconfig, "Kubeconfig file; default: $KUBECONFIG, ~/.kube/config");
  return c;
}

void add_cluster(CLI::App& app, ClusterArguments& a) {
  auto* c =
      add_cluster_command(app, a, "status", "Show the status of a DataSync: agents, lag by stage, snapshot, events");
  c->add_option("-o,--output", a.status.output, "Output format: json or yaml")->check(CLI::IsMember({"json", "yaml"}));
  c->add_flag("-w,--watch", a.status.watch, "Repeat every two seconds");
  add_cluster_command(app, a, "pause", "Stop both agents; nothing is lost");
  add_cluster_command(app, a, "resume", "Resume a paused DataSync");
  add_cluster_command(app, a, "restart", "Restart the agents");
  auto* r = add_cluster_command(app, a, "report", "Write a support bundle (tar) without secrets");
  r->add_option("-f,--file", a.report_file, "File to write (default: datasync-NAME-TIME.tar in the current folder)");
}

void add_other(CLI::App& app, Arguments& a) {
  app.add_subcommand("crd", "Print the CustomResourceDefinition of this version")->group(kOther);
  auto* c = app.add_subcommand("completion", "Print the completion script for a shell");
  c->group(kOther);
  c->add_option("SHELL", a.shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  auto* p = app.add_subcommand("probe", "Succeed if a URL answers with status 200 (helm test)");
  p->group("");
  p->add_option("URL", a.url)->required();
  p->add_option("--within", a.probe_within, "Try again for this many seconds until it does")->check(CLI::Range(0, 600));
  auto* words = app.add_subcommand("__complete");
  words->group("");
  words->add_option("WORDS", a.words)->expected(-1);
  app.add_subcommand("version", "Print the version")->group(kOther);
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
                                     : channel_of(a.file, a.secrets_dir, a.options.topic);
  const auto print = [&stop](std::string_view line) {
    std::cout << line << '\n';
    std::cout.flush();
    if (!std::cout) stop.request_stop();  // the reader has closed the pipe: `datasync tail | head`
  };
  const auto done =
      access ? cli::tail(*access, a.options, stop.get_token(), print) : base::Result<void>(access.error());
  if (done) return 0;
  std::cerr << base::to_string(done.error().reason) << ": " << done.error().what << '\n';
  return 1;
}

kube::ConnectOptions connect_options(const ClusterArguments& a) {
  kube::ConnectOptions out;
  out.kubeconfig = a.kubeconfig;
  out.context = a.context;
  out.field_manager = "kubectl-datasync";
  out.user_agent = "kubectl-datasync/" DATASYNC_VERSION;
  return out;
}

int failed(const base::Error& e) {
  std::cerr << e.what << '\n';
  return 1;
}

int in_cluster(const std::string& command, ClusterArguments& a) {
  base::log::init("datasync", base::log::Level::Error, base::log::Format::Text);
  const auto options = connect_options(a);
  const auto api = kube::connect(options);
  if (!api) return failed(api.error());
  const auto ns = a.ns.empty() ? kube::default_namespace(options) : base::Result<std::string>(a.ns);
  if (!ns) return failed(ns.error());
  const kube::ObjectKey key{*ns, a.name};
  if (command == "status") {
    a.status.color = isatty(STDOUT_FILENO) != 0;
    const auto stop = a.status.watch ? base::stop_on_signals() : std::stop_token();
    return status(**api, key, a.status, std::cout, std::cerr, stop);
  }
  if (command == "pause" || command == "resume") {
    return pause(**api, key, command == "pause", std::cout, std::cerr);
  }
  if (command == "restart") return restart(**api, key, base::wall_now(), std::cout, std::cerr);
  const auto log_of = [&a](const kube::ObjectKey& pod) { return pod_log({a.kubeconfig, a.context}, pod); };
  return report(**api, key, a.report_file, base::wall_now(), log_of, std::cout, std::cerr);
}

// Returns the names of the resources, or none after a short deadline, because a shell waits for them.
std::vector<std::string> names_in(const std::string& ns) {
  kube::ConnectOptions options;
  options.call_deadline = std::chrono::seconds(2);
  const auto api = kube::connect(options);
  const auto where = ns.empty() ? kube::default_namespace(options) : base::Result<std::string>(ns);
  if (!api || !where) return {};
  return names(**api, *where);
}

int print_completions(const Arguments& a) {
  Arguments other;
  for (const auto& c : complete(*command_line(other), a.words, names_in)) std::cout << c << '\n';
  return 0;
}

bool answers(const std::string& url) {
  const auto slash = url.find('/', url.find("//") == url.npos ? 0 : url.find("//") + 2);
  httplib::Client client(url.substr(0, slash));
  client.set_connection_timeout(kProbeAnswer);
  client.set_read_timeout(kProbeAnswer);
  const auto answer = client.Get(slash == url.npos ? std::string("/") : url.substr(slash));
  std::cout << url << ": " << (answer ? std::to_string(answer->status) : httplib::to_string(answer.error()))
            << std::endl;
  return answer && answer->status == 200;
}

/// Even when a pod is ready, it is reachable through its Service only a moment later, when the node's rules are
/// written.
int probe(const std::string& url, std::chrono::seconds within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!answers(url)) {
    if (std::chrono::steady_clock::now() + kProbePause > end) return 1;
    std::this_thread::sleep_for(kProbePause);
  }
  return 0;
}

}  // namespace

std::unique_ptr<CLI::App> command_line(Arguments& a) {
  auto app = std::make_unique<CLI::App>("DataSync: replicates the rows of selected tables exactly once through Kafka.");
  app->require_subcommand(1);
  app->set_version_flag("--version", DATASYNC_VERSION);
  add_run(*app, a.run);
  add_validate(*app, a.files);
  add_cleanup(*app, a.files);
  add_tail(*app, a.tail);
  add_cluster(*app, a.cluster);
  add_other(*app, a);
  return app;
}

int perform(const CLI::App& app, Arguments& a) {
  const auto command = app.get_subcommands().front()->get_name();
  if (command == "run") return run(a.run, base::stop_on_signals(Folder::remove_temporary));
  if (command == "validate") return validate(a.files, std::cout);
  if (command == "cleanup") return cleanup(a.files, std::cout);
  if (command == "tail") return tail(a.tail);
  if (command == "probe") return probe(a.url, std::chrono::seconds(a.probe_within));
  if (command == "__complete") return print_completions(a);
  if (command == "crd") {
    std::cout << api::crd_yaml();
  } else if (command == "completion") {
    std::cout << completion_script(a.shell);
  } else if (command == "version") {
    std::cout << "datasync " << DATASYNC_VERSION << '\n';
  } else {
    return in_cluster(command, a.cluster);
  }
  return 0;
}

std::string unknown_command(const CLI::App& app, const std::string& word) {
  if (word.starts_with('-') || find_command(app, word) != nullptr) return {};
  std::vector<std::string> known;
  for (const auto* c : app.get_subcommands(nullptr)) {
    if (!c->get_group().empty()) known.push_back(c->get_name());
  }
  const auto near = config::nearest(word, known);
  if (!near.empty()) return fmt::format("unknown command \"{}\"; did you mean {}?", word, near);
  return fmt::format("unknown command \"{}\"; the commands are {}", word, fmt::join(known, ", "));
}

}  // namespace datasync::cli
