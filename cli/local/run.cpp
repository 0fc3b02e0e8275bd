#include "cli/local/run.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "agents/base/secret.hpp"
#include "agents/config/instance.hpp"
#include "cli/local/agent_log.hpp"
#include "cli/local/agent_process.hpp"
#include "cli/local/folder.hpp"
#include "cli/local/screen.hpp"
#include "cli/local/secret_files.hpp"
#include "cli/local/validate.hpp"
#include "operator/desired/desired.hpp"

namespace datasync::cli {
namespace {

constexpr base::Millis kTick{250};
constexpr base::Millis kGrace{10'000};
constexpr base::Millis kStopTick{20};

std::filesystem::path own_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

// Returns the resources of the files when all of them can be run; otherwise the problems have been printed.
std::optional<std::vector<api::DataSync>> runnable(const std::vector<std::filesystem::path>& files) {
  auto loaded = load(files, std::cerr);
  bool good = loaded.valid;
  std::map<std::string, int> names;
  for (const auto& r : loaded.resources) {
    for (const auto& p : api::not_built(r)) {
      std::cerr << fmt::format("{}: {}\n", r.id(), p.text());
      good = false;
    }
    if (++names[r.id()] == 2) {
      std::cerr << fmt::format("{}: is defined in two files\n", r.id());
      good = false;
    }
  }
  if (!good) return std::nullopt;
  return std::move(loaded.resources);
}

// Reports every secret that a resource names and that cannot be read, before anything starts.
bool secrets_are_there(const std::vector<api::DataSync>& resources, const std::filesystem::path& folder) {
  bool good = true;
  for (const auto& r : resources) {
    if (r.spec.paused) continue;
    for (const auto& file : secret_files(r)) {
      const auto secret = base::read_secret(folder / file);
      if (secret) continue;
      std::cerr << fmt::format("{}: {}\n", r.id(), secret.error().what);
      good = false;
    }
  }
  if (!good) std::cerr << "secrets are files SECRET_NAME/KEY in the folder of --secrets\n";
  return good;
}

class Runner {
 public:
  Runner(const RunOptions& options, const Folder& folder, bool table)
      : options_(options),
        folder_(folder),
        table_(table),
        screen_(table ? Screen::Kind::Table : Screen::Kind::Lines, stdout) {}

  base::Result<void> add(const api::DataSync& r) {
    modes_[r.id()] = r.spec.mode;
    if (r.spec.paused) {
      AgentView view;
      view.task = r.id();
      view.agent = "-";
      view.state = "Paused";
      paused_.push_back(std::move(view));
      return {};
    }
    if (r.spec.source) {
      const auto c = desired::capture_config(r, runtime(r, "capture"));
      DS_TRY(add_agent(r, "capture", c.replicas.front().text(), config::write(c)));
    }
    if (r.spec.destination) {
      const auto a = desired::apply_config(r, runtime(r, "apply"));
      DS_TRY(add_agent(r, "apply", a.destination.text(), config::write(a)));
    }
    return {};
  }

  int loop(std::stop_token stop) {
    auto state = Once::Running;
    while (state == Once::Running) {
      const auto now = base::steady_now();
      for (auto& a : agents_) a->tick(now);
      screen_.show(views(), now);
      state = once();
      if (state == Once::Running && !base::sleep_for(stop, kTick)) break;
    }
    end_agents();
    return verdict(state);
  }

 private:
  [[nodiscard]] std::filesystem::path path(const api::DataSync& r, std::string_view agent,
                                           std::string_view ending) const {
    return folder_.path() / fmt::format("{}.{}.{}.{}", r.metadata.namespace_, r.metadata.name, agent, ending);
  }

  [[nodiscard]] desired::Runtime runtime(const api::DataSync& r, std::string_view agent) const {
    desired::Runtime out;
    out.secrets_dir = std::filesystem::absolute(options_.secrets_dir);
    out.instance = instance_;
    out.http_host = "127.0.0.1";
    out.http_port_file = path(r, agent, "port");
    out.log_level = options_.log_level;
    out.log_format = "text";
    return out;
  }

  base::Result<void> add_agent(const api::DataSync& r, const std::string& agent, std::string endpoint,
                               const std::string& config) {
    AgentProcess::Options o;
    o.program = (options_.agents_dir.empty() ? own_folder() : options_.agents_dir) / ("datasync-" + agent);
    if (access(o.program.c_str(), X_OK) != 0) {
      return base::Error(base::Reason::ConfigInvalid,
                         fmt::format("{} does not exist; set its folder with --agents-dir", o.program.string()));
    }
    o.config_file = path(r, agent, "json");
    o.port_file = path(r, agent, "port");
    DS_TRY(write_private(o.config_file, config));
    const auto prefix = table_ ? std::string() : fmt::format("[{} {}] ", r.id(), agent);
    o.on_line = [log = std::make_shared<AgentLog>(path(r, agent, "log"), prefix)](std::string_view l) { log->line(l); };
    AgentView view;
    view.task = r.id();
    view.agent = agent;
    view.endpoint = std::move(endpoint);
    agents_.push_back(std::make_unique<AgentProcess>(std::move(view), std::move(o)));
    return {};
  }

  [[nodiscard]] std::vector<AgentView> views() const {
    auto out = paused_;
    for (const auto& a : agents_) out.push_back(a->view());
    return out;
  }

  // Done when every resource has mode Once and is done; Failed as soon as one is not equal.
  [[nodiscard]] Once once() const {
    bool all_done = !agents_.empty() && paused_.empty();
    for (const auto& [task, mode] : modes_) {
      std::vector<const AgentView*> of_task;
      for (const auto& a : agents_) {
        if (a->view().task == task) of_task.push_back(&a->view());
      }
      const auto state = mode == config::Mode::Once ? once_state(of_task) : Once::Running;
      if (state == Once::Failed) return Once::Failed;
      all_done = all_done && state == Once::Done;
    }
    return all_done ? Once::Done : Once::Running;
  }

  // Sends SIGTERM, waits for the agents to stop in order, then sends SIGKILL, each to its own process id.
  void end_agents() {
    for (auto& a : agents_) a->send(SIGTERM);
    const auto until = base::steady_now() + kGrace;
    const auto any = [this] { return std::ranges::any_of(agents_, [](const auto& a) { return a->running(); }); };
    while (any() && base::steady_now() < until) base::sleep_for({}, kStopTick);
    for (auto& a : agents_) a->send(SIGKILL);
  }

  [[nodiscard]] int verdict(Once state) const {
    if (state == Once::Done) {
      fmt::print(stdout, "complete: all rows copied, source and destination are equal\n");
      return 0;
    }
    if (state == Once::Failed) {
      for (const auto& a : agents_) {
        const auto& v = a->view();
        if (once_state({&v}) == Once::Failed) {
          fmt::print(stderr, "{}: VerifyFailed: source and destination differ: {}\n", v.task,
                     !v.message.empty() ? v.message
                     : v.verify         ? fmt::format("{}", fmt::join(v.verify->different, ", "))
                                        : std::string("see the log"));
        }
      }
      return 1;
    }
    const bool unfinished = std::ranges::any_of(modes_, [](const auto& m) { return m.second == config::Mode::Once; });
    if (unfinished) fmt::print(stderr, "stopped before everything was copied\n");
    return unfinished ? 1 : 0;
  }

  const RunOptions& options_;
  const Folder& folder_;
  /// Agents that this run restarts are the same instances as before; the agents of a later run are newer.
  const std::string instance_ = config::instance_of({});
  bool table_;
  Screen screen_;
  std::map<std::string, config::Mode> modes_;
  std::vector<AgentView> paused_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
};

}  // namespace

int run(const RunOptions& options, std::stop_token stop) {
  const auto resources = runnable(options.files);
  if (!resources || !secrets_are_there(*resources, options.secrets_dir)) return 1;
  const auto folder = Folder::open(options.state_dir);
  if (!folder) {
    std::cerr << folder.error().what << '\n';
    return 1;
  }
  const bool table = !options.plain && isatty(STDOUT_FILENO) != 0;
  Runner runner(options, *folder, table);
  for (const auto& r : *resources) {
    if (const auto added = runner.add(r); !added) {
      std::cerr << added.error().what << '\n';
      return 1;
    }
  }
  return runner.loop(std::move(stop));
}

}  // namespace datasync::cli
