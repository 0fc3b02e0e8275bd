#include "cli/cluster/pod_log.hpp"

#include <csignal>
#include <vector>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"
#include "cli/local/child.hpp"

namespace datasync::cli {
namespace {

constexpr base::Millis kPatience{20'000};
constexpr base::Millis kLook{20};
constexpr std::size_t kMost = 8U << 20U;

std::string kubectl(const std::vector<std::string>& args) {
  std::string out;
  const auto on_line = [&out](std::string_view line) {
    if (out.size() < kMost) out.append(line).push_back('\n');
  };
  auto child = Child::start({"/usr/bin/env", args, on_line});
  if (!child) return child.error().what + "\n";
  const auto until = base::steady_now() + kPatience;
  while (!(*child)->ended() && base::steady_now() < until) base::sleep_for({}, kLook);
  child->reset();  // waits until every line has arrived
  return out;
}

}  // namespace

std::string pod_log(const KubectlAccess& access, const kube::ObjectKey& pod) {
  std::vector<std::string> args{"kubectl", "logs", "-n", pod.ns, pod.name, "--all-containers", "--tail=2000"};
  if (!access.kubeconfig.empty()) args.push_back("--kubeconfig=" + access.kubeconfig);
  if (!access.context.empty()) args.push_back("--context=" + access.context);
  auto out = kubectl(args);
  args.emplace_back("--previous");
  return out + "---- before the last restart\n" + kubectl(args);
}

}  // namespace datasync::cli
