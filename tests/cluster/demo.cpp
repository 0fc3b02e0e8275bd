// make cluster-demo: a scenario between two clusters, step by step. KEEP=1 leaves it running until Ctrl-C.

#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "tests/cluster/environment.hpp"
#include "tests/cluster/images.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/cluster/sandbox.hpp"
#include "tests/demo/console.hpp"
#include "tests/support/api_server.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

bool keeps_running() {
  const char* text = std::getenv("KEEP");
  return text != nullptr && *text != '\0' && std::string_view(text) != "0";
}

/// Shows the scenario step by step.
class ClusterDemo {
 public:
  ClusterDemo(Environment& environment, const demo::Console& console) : environment_(environment), console_(console) {}

  void run() {
    install();
    apply_resources();
    fault("delete the capture pod in cluster a, with no grace", [this] { delete_pods(environment_.a(), "shop"); });
    fault("delete the apply pods of the type bank in cluster b", [this] { delete_pods(environment_.b(), "bank"); });
    fault("kill -9 Kafka, start it again", [this] {
      environment_.servers().kafka().kill();
      environment_.servers().kafka().start();
    });
    if (environment_.b().own) without_api_server();
    fault("no operator in cluster a for a while; its capture pod is deleted meanwhile", [this] { without_operator(); });
    show(environment_.b(), {"-n", kNamespace, "get", "events", "--sort-by=.metadata.creationTimestamp"});
    compare();
  }

 private:
  void say(const std::string& text) const { console_.print(text); }

  /// A command as a user types it, with its answer.
  void show(const Side& side, const std::vector<std::string>& args) const {
    fmt::print("\n  [{}] $ kubectl {}\n{}\n", side.name, fmt::join(args, " "), side.kubectl.run(args));
    std::fflush(stdout);
  }

  void install() {
    say("secrets (users, passwords, authorities) by kubectl, in both clusters");
    for (auto& side : environment_.sides()) environment_.prepare(side);
    environment_.servers().traffic().start();
    say("traffic on the shop's primary: transfers, orders, swaps of unique values, changes of keys");
    begin_ = console_.seconds();
    for (auto& side : environment_.sides()) {
      say(fmt::format("[{}] $ helm install datasync charts/datasync-operator -n {}", side.name, kOperators));
      environment_.install(side, environment_.images().tag);
    }
  }

  void apply_resources() {
    say("[a] $ kubectl apply: DataSync shop, capture only: publishes the types bank and shop");
    environment_.apply(environment_.a(), "shop", capture_only());
    say("[b] $ kubectl apply: DataSyncs bank and shop, apply only: each stores one type");
    for (const char* type : {"bank", "shop"}) environment_.apply(environment_.b(), type, apply_only(type));
    say("[a] $ kubectl apply: DataSync backoffice: both agents, to another database");
    environment_.apply(environment_.a(), "backoffice", full_resource());
    console_.until("the first row", seconds(120),
                   [this] { return environment_.servers().reached_at_recovery().order > 0; });
    say(fmt::format("first row at the destination {:.1f} s after the first helm install", console_.seconds() - begin_));
    environment_.wait_until_healthy(seconds(120));
    for (const auto& side : environment_.sides()) {
      show(side, {"get", "datasyncs", "-A"});
      show(side, {"get", "pods", "-A"});
    }
  }

  template <class Break>
  void fault(const std::string& what, Break make) {
    say(what);
    make();
    say(fmt::format("every DataSync is Ready and all data has arrived {:.1f} s later",
                    environment_.wait_until_healthy(seconds(120))));
    check_duplicates();
  }

  static void delete_pods(const Side& side, const std::string& resource) {
    side.kubectl.run(
        {"-n", kNamespace, "delete", "pods", "-l", "datasync.dev/name=" + resource, "--grace-period=0", "--force"});
  }

  void without_api_server() {
    fault("the API server of cluster b is away for 15 seconds; data flows on", [this] {
      environment_.b().own->stop_api_server();
      for (int i = 0; i < 3; ++i) {
        console_.rest(seconds(5));
        const auto source = environment_.servers().source_mark();
        console_.until("data flows", seconds(20),
                       [&] { return environment_.servers().reached_at_recovery().audit >= source.audit; });
        say(fmt::format("audit line {} is at the destination", source.audit));
      }
      environment_.b().own->start_api_server();
    });
  }

  void without_operator() {
    const auto scale = [this](const char* replicas) {
      environment_.a().kubectl.run(
          {"-n", kOperators, "scale", "deployment", "--all", std::string("--replicas=") + replicas});
    };
    scale("0");
    delete_pods(environment_.a(), "shop");
    console_.rest(seconds(5));
    scale("1");
  }

  void check_duplicates() {
    if (const auto rows = environment_.servers().repeated_audit_rows(); rows != 0) {
      throw demo::Failed(fmt::format("{} rows of the audit table are there twice", rows));
    }
  }

  void compare() {
    auto& servers = environment_.servers();
    servers.traffic().stop();
    say(fmt::format("traffic stopped after {} transactions; comparing every row and column",
                    servers.traffic().committed()));
    CompareResult rows;
    console_.until("source and destinations equal", seconds(60),
                   [&] { return (rows = servers.compare_all()).equal(); });
    check_duplicates();
    fmt::print("cluster-demo: OK source_rows={} destination_rows={} equal=yes lost={} duplicated={}\n",
               rows.source_rows, rows.destination_rows, rows.lost, rows.duplicated);
  }

  Environment& environment_;
  const demo::Console& console_;
  double begin_ = 0;
};

/// Commands for another terminal. `outside` is this process's id where that terminal is.
void wait_for_the_end(Environment& environment, pid_t outside) {
  environment.servers().traffic().start();
  fmt::print("\nKept running, with traffic, until Ctrl-C. From another terminal, as root:\n");
  for (const auto& side : environment.sides()) {
    const auto command = fmt::format("env KUBECONFIG={} {} get dsync -A", side.kubectl.kubeconfig().string(),
                                     kube_tool("kubectl").string());
    fmt::print("  {}{}\n", outside != 0 ? fmt::format("nsenter -t {} -n -m -p ", outside) : "", command);
  }
  std::fflush(stdout);
  for (;;) pause();
}

int run_demo(const Sandbox* sandbox, const std::filesystem::path& folder, const Images& images) {
  const demo::Console console{std::stop_token()};
  std::unique_ptr<Environment> environment;
  int result = 0;
  try {
    console.print("two Kubernetes clusters, a primary with two replicas, two destinations and Kafka are brought up");
    environment = std::make_unique<Environment>(sandbox, folder, images);
    console.print("all are up");
    ClusterDemo(*environment, console).run();
  } catch (const std::exception& error) {
    fmt::print("{}\ncluster-demo: FAILED {}\n", environment ? environment->report() : "", error.what());
    result = 1;
  }
  if (keeps_running() && environment) wait_for_the_end(*environment, sandbox != nullptr ? sandbox->pid_outside() : 0);
  return result;
}

}  // namespace
}  // namespace datasync::test

int main() {
  using namespace datasync::test;
  try {
    return with_clusters(run_demo);
  } catch (const std::exception& error) {
    fmt::print("cluster-demo: FAILED {}\n", error.what());
    return 1;
  }
}
