// datasync-operator: keeps DataSync resources true.

#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"
#include "agents/base/program.hpp"
#include "agents/base/stop.hpp"
#include "agents/health/server.hpp"
#include "operator/decide/ownership.hpp"
#include "operator/desired/managers.hpp"
#include "operator/kube/client.hpp"
#include "operator/reconcile/operator.hpp"
#include "operator/runtime/leader.hpp"
#include "operator/runtime/metrics.hpp"

namespace {

using namespace datasync;

constexpr int kInternalError = 1;
constexpr int kLeaseLost = 4;
constexpr base::Millis kLook{1'000};
constexpr base::Millis kLeaseUnknown{30'000};  // a short standstill of the API server is no reason to be not ready
constexpr base::Millis kLeaseDeadline{3'000};  // one call that hangs must not cost the lease (renewed within 10 s)

struct Arguments {
  std::vector<std::string> namespaces;
  std::string image;
  std::string pull_policy = "IfNotPresent";
  std::string installation = "datasync";
  bool leader_elect = true;
  std::string lease_namespace;
  std::string lease_name;
  std::uint16_t http_port = 8080;
  std::string http_host = "::";
  std::string http_port_file;
  bool network_policy = false;
  bool pod_monitor = false;
  std::vector<std::string> pod_monitor_labels;
  bool secrets = true;
  bool delete_disabled = true;
  unsigned workers = 4;
  unsigned resync_seconds = 600;
  unsigned cleanup_seconds = 600;
  std::string kubeconfig;
  double qps = 50;
  std::string log_level = "info";
  std::string log_format = "auto";
};

void describe(CLI::App& app, Arguments& a) {
  app.add_option("--watch-namespaces", a.namespaces, "Namespaces to watch; default: all")->delimiter(',');
  app.add_option("--agent-image", a.image, "Image of the agents")->required();
  app.add_option("--agent-pull-policy", a.pull_policy, "imagePullPolicy of the agents")
      ->check(CLI::IsMember({"Always", "IfNotPresent", "Never"}))
      ->capture_default_str();
  app.add_option("--installation-id", a.installation, "Identifies this installation among others in the cluster")
      ->capture_default_str();
  app.add_flag("--leader-elect,!--no-leader-elect", a.leader_elect, "Use leader election (default)");
  app.add_option("--lease-namespace", a.lease_namespace, "Namespace of the Lease; default: the pod's own");
  app.add_option("--lease-name", a.lease_name, "Name of the Lease; default: datasync-operator-INSTALLATION");
  app.add_option("--http-port", a.http_port, "Port of /livez, /readyz and /metrics; 0: any free port")
      ->capture_default_str();
  app.add_option("--http-host", a.http_host, "Address to listen on; :: listens on all addresses")
      ->capture_default_str();
  app.add_option("--http-port-file", a.http_port_file, "File to which the port is written");
  app.add_flag("--network-policy", a.network_policy, "Create a NetworkPolicy for the agents of each resource");
  app.add_flag("--pod-monitor", a.pod_monitor, "Create a PodMonitor for the agents of each resource");
  app.add_option("--pod-monitor-labels", a.pod_monitor_labels, "Additional labels of the PodMonitors: KEY=VALUE,...")
      ->delimiter(',')
      ->check(CLI::Validator(
          [](const std::string& one) {
            return one.find('=') > 0 && one.find('=') != one.npos ? std::string() : "not KEY=VALUE: " + one;
          },
          "KEY=VALUE"));
  app.add_flag("--look-at-secrets,!--no-look-at-secrets", a.secrets,
               "Report which secret is missing (default); needs the right to get secrets");
  app.add_flag("--delete-disabled,!--no-delete-disabled", a.delete_disabled,
               "Delete NetworkPolicies and PodMonitors that were created while they were enabled (default); needs the "
               "rights to list and delete them");
  app.add_option("--workers", a.workers, "Maximum number of concurrent reconciles")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--resync", a.resync_seconds, "Seconds after which every resource is reconciled again")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.add_option("--cleanup-limit", a.cleanup_seconds,
                 "Seconds after which a deleted resource is removed even if its cleanup has not succeeded")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.add_option("--kubeconfig", a.kubeconfig,
                 "Kubeconfig file; default: the pod's service account, or the file that kubectl uses");
  app.add_option("--api-server-qps", a.qps, "Maximum calls per second to the API server; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--log-level", a.log_level, "Log level: debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", a.log_format, "Log format: auto, json or text")
      ->check(CLI::IsMember({"auto", "json", "text"}))
      ->capture_default_str();
  app.set_version_flag("--version", DATASYNC_VERSION);
}

kube::ConnectOptions connect_options(const Arguments& a) {
  kube::ConnectOptions out;
  out.kubeconfig = a.kubeconfig;
  out.in_pod = a.kubeconfig.empty() && std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;
  out.field_manager = desired::kFieldManager;
  out.user_agent = "datasync-operator/" DATASYNC_VERSION;
  out.qps = a.qps;
  out.burst = static_cast<unsigned>(2 * a.qps);
  return out;
}

std::map<std::string, std::string> labels(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> out;
  for (const auto& one : texts) out[one.substr(0, one.find('='))] = one.substr(one.find('=') + 1);
  return out;
}

reconcile::OperatorOptions operator_options(const Arguments& a, const std::string& instance) {
  reconcile::OperatorOptions out;
  out.settings.children = {.installation = a.installation,
                           .image = a.image,
                           .pull_policy = a.pull_policy,
                           .network_policy = a.network_policy,
                           .pod_monitor = a.pod_monitor,
                           .pod_monitor_labels = labels(a.pod_monitor_labels),
                           .cleanup_limit = std::chrono::seconds(a.cleanup_seconds)};
  out.settings.secrets = a.secrets;
  out.delete_disabled = a.delete_disabled;
  if (a.leader_elect) out.settings.lease = a.lease_namespace + "/" + a.lease_name;
  out.namespaces = a.namespaces;
  out.instance = instance;
  out.workers = a.workers;
  out.resync = std::chrono::seconds(a.resync_seconds);
  return out;
}

int fail(std::string_view doing, const base::Error& error) {
  base::log::error(doing, {{"error", std::string_view(error.what)}});
  return base::kBadConfiguration;
}

/// Passes on that reconciling moves, and whether this process leads, until `stop`.
void watch_over(const reconcile::Operator& op, health::Status& status, health::Gauge& leading,
                const std::function<bool()>& leads, std::stop_token stop) {
  std::string reported;
  do {
    try {
      leading.set(leads() ? 1 : 0);
      auto silent = op.silent_about();
      if (silent.empty()) status.beat();
      if (silent != reported && !silent.empty())
        base::log::error("reconciling makes no progress", {{"about", std::string_view(silent)}});
      reported = std::move(silent);
    } catch (const std::exception& e) {
      base::log::error("the progress cannot be checked", {{"error", std::string_view(e.what())}});
    }
  } while (base::sleep_for(stop, kLook));
}

/// Ready while it waits: a standby counts, or no update of the operator would ever end. But one that cannot know who
/// holds the Lease would wait for ever, and after an update of the operator nobody would lead.
bool wait_for_lease(runtime::LeaderElector& leader, const std::string& lease, health::Status& status,
                    const std::stop_token& stop) {
  status.set(health::State::Streaming);
  base::log::info("waiting for the lease", {{"lease", std::string_view(lease)}});
  bool ready = true;
  const auto told = [&](base::Millis unknown) {
    const bool can = unknown <= kLeaseUnknown;
    if (std::exchange(ready, can) == can) return;
    status.set(can ? health::State::Streaming : health::State::Starting);
    if (!can)
      base::log::error("the lease can neither be read nor written; the operator is not ready until it can",
                       {{"lease", std::string_view(lease)}});
  };
  return leader.acquire(stop, told);
}

int run(Arguments a, std::stop_token stop) {
  if (a.lease_name.empty()) a.lease_name = "datasync-operator-" + a.installation;
  auto options = connect_options(a);
  if (a.leader_elect && a.lease_namespace.empty()) {
    const auto ns = kube::default_namespace(options);
    if (!ns) return fail("the namespace of the Lease is not known", ns.error());
    a.lease_namespace = *ns;
  }
  health::Metrics metrics;
  const auto instance = base::process_name();
  health::Status status({"operator", a.installation, instance});
  const auto server = health::Server::start({a.http_host, a.http_port, a.http_port_file}, status, metrics);
  if (!server) return fail("the HTTP server cannot be started", server.error());
  options.on_call = runtime::api_call_counter(metrics);
  auto lease_options = options;
  lease_options.call_deadline = kLeaseDeadline;
  const auto lease_api = kube::connect(lease_options);  // renewals do not wait in line behind the workers' calls
  if (!lease_api) return fail("the API server cannot be used", lease_api.error());
  runtime::LeaderElector leader(
      **lease_api,
      {.lease = {a.lease_namespace, a.lease_name},
       .identity = instance,
       .annotations = {{std::string(decide::kNamespaces), fmt::format("{}", fmt::join(a.namespaces, ","))}}});
  if (a.leader_elect) options.may_write = [&leader] { return leader.leading(); };
  const auto api = kube::connect(options);
  if (!api) return fail("the API server cannot be used", api.error());
  reconcile::Operator op(**api, operator_options(a, instance), metrics);
  auto& leading = metrics.gauge("datasync_operator_leading", "1 while this process holds the Lease, or needs none.");
  const std::jthread watcher([&](std::stop_token s) {
    watch_over(
        op, status, leading, [&] { return !a.leader_elect || leader.leading(); }, std::move(s));
  });
  if (!op.prepare(stop)) return 0;
  if (a.leader_elect) {
    if (!wait_for_lease(leader, a.lease_namespace + "/" + a.lease_name, status, stop)) return 0;
    leader.keep([] {
      base::log::error("the lease is lost");
      std::_Exit(kLeaseLost);  // no further write; whoever leads now goes on from what is there
    });
  }
  status.set(health::State::Streaming);
  base::log::info("the operator has started",
                  {{"installation", std::string_view(a.installation)}, {"instance", std::string_view(instance)}});
  op.start();
  while (base::sleep_for(stop, kLook)) {
  }
  status.set(health::State::Stopping);
  op.stop();
  if (a.leader_elect) leader.release();  // last: nobody begins while a write of ours may be under way
  base::log::info("the operator has stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  base::limit_freed_memory(false);
  CLI::App app("Reconciles DataSync resources: creates and watches their agents and reports their status.");
  Arguments arguments;
  describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  base::init_log("operator", arguments.log_level, arguments.log_format);
  try {
    return run(std::move(arguments), base::stop_on_signals());
  } catch (const std::exception& e) {
    base::log::error("the operator ends with an internal error", {{"error", std::string_view(e.what())}});
    return kInternalError;
  }
}
