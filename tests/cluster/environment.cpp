#include "tests/cluster/environment.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/cluster/manifests.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr const char* kAddress = "172.31.0.1";  ///< of the servers, when the clusters are ours

std::string variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

Side given_side(const std::string& name, const std::string& kubeconfig, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / name);
  return Side{name, Kubectl(kubeconfig, folder / name), nullptr, {}, {}};
}

Side own_side(const Sandbox& sandbox, int number, const std::string& name, const Images& images) {
  auto cluster = std::make_unique<Cluster>(sandbox, number, name);
  for (const auto& archive : images.archives) cluster->load(archive);
  for (const char* image : {"operator", "agents"}) {
    const auto repository = images.repository + "/" + image;
    cluster->tag(repository + ":" + images.tag, repository + ":" + images.second_tag);
  }
  auto kubectl = cluster->kubectl();
  return Side{name, std::move(kubectl), std::move(cluster), {}, {}};
}

std::vector<nlohmann::json> items(const nlohmann::json& list) {
  if (list.is_null()) return {};
  auto all = list.at("items").get<std::vector<nlohmann::json>>();
  std::ranges::sort(all, std::greater<>{},
                    [](const auto& item) { return item["metadata"]["creationTimestamp"].template get<std::string>(); });
  return all;
}

/// Ready, and not only for a specification before this one.
bool is_ready_now(const nlohmann::json& object) {
  return is_ready(object) &&
         condition_of(object, "Ready").value("observedGeneration", 0) == object["metadata"]["generation"];
}

constexpr std::array kNamespaces{kNamespace, kOperators, "shop", "dr", "office", "kafka"};
constexpr const char* kDefinition = "datasyncs.datasync.dev";

std::string say(const std::function<std::string()>& ask) {
  try {
    return ask();
  } catch (const std::runtime_error& error) {
    return std::string(error.what()) + "\n";
  }
}

/// A given cluster must have nothing that the environment makes: what is there is another owner's, and is neither
/// changed nor deleted.
void refuse_what_is_there(const Side& side) {
  const auto refuse = [&](const std::string& what) {
    throw std::runtime_error(fmt::format("cluster {} ({}) has {} already: it is not ours to change", side.name,
                                         side.kubectl.kubeconfig().string(), what));
  };
  for (const char* ns : kNamespaces) {
    if (!side.kubectl.get({"namespace", ns}).is_null()) refuse(fmt::format("the namespace {}", ns));
  }
  if (!side.kubectl.get({"crd", kDefinition}).is_null()) refuse("an installation of DataSync");
}

/// In a given cluster's folder, before anything is made in the cluster.
std::filesystem::path mark_of(const std::filesystem::path& folder, const std::string& side) {
  return folder / side / "made";
}

/// Leaves a given cluster as it was, also when operator, databases and Kafka are gone or something was half made.
void tidy(const Kubectl& kubectl) {
  const auto step = [](const std::function<std::string()>& ask) {
    try {
      ask();
    } catch (const std::runtime_error& error) {
      fmt::print(stderr, "{}\n", error.what());
    }
  };
  step([&] {
    const auto all = kubectl.get({"crd", kDefinition}).is_null() ? nlohmann::json() : kubectl.get({"datasyncs", "-A"});
    for (const auto& one : items(all)) {
      // A cleanup has no operator left.
      kubectl.run({"-n", one["metadata"]["namespace"], "patch", "datasync", one["metadata"]["name"], "--type=merge",
                   "-p", R"({"metadata":{"finalizers":null},"spec":{"deletionPolicy":"Retain"}})"});
    }
    return all.is_null() ? "" : kubectl.run({"delete", "datasyncs", "--all", "-A", "--timeout=60s"});
  });
  step([&] { return kubectl.helm({"-n", kOperators, "uninstall", "datasync", "--ignore-not-found"}); });
  step([&] { return kubectl.run({"delete", "crd", kDefinition, "--ignore-not-found", "--timeout=60s"}); });
  step([&] {
    return kubectl.run({"delete", "clusterroles,clusterrolebindings", "-l",
                        "app.kubernetes.io/name=datasync-operator,app.kubernetes.io/instance=datasync"});
  });
  std::vector<std::string> namespaces{"delete", "namespaces", "--ignore-not-found", "--timeout=120s"};
  namespaces.insert(namespaces.end(), kNamespaces.begin(), kNamespaces.end());
  step([&] { return kubectl.run(namespaces, "", std::chrono::seconds(150)); });
}

}  // namespace

nlohmann::json Side::resource(const std::string& resource_name) const {
  return kubectl.get({"-n", kNamespace, "datasync", resource_name});
}

std::vector<nlohmann::json> Side::pods(const std::string& resource_name, const std::string& agent) const {
  return items(kubectl.get({"-n", kNamespace, "pods", "-l",
                            fmt::format("datasync.dev/name={},datasync.dev/agent={}", resource_name, agent)}));
}

std::vector<nlohmann::json> Side::operators() const {
  return items(kubectl.get({"-n", kOperators, "pods", "-l", "app.kubernetes.io/component=operator"}));
}

Environment::Environment(const Sandbox* sandbox, const std::filesystem::path& folder, Images images)
    : images_(std::move(images)) {
  if (sandbox == nullptr) {
    std::vector<Side> given;
    given.push_back(given_side("a", variable("KUBECONFIG_A"), folder));
    given.push_back(given_side("b", variable("KUBECONFIG_B"), folder));
    for (const auto& side : given) refuse_what_is_there(side);
    for (const auto& side : given) write_file(mark_of(folder, side.name), "");
    sides_ = std::move(given);
    servers_ = std::make_unique<Servers>(folder, variable("CLUSTER_SERVERS_ADDRESS"));
    return;
  }
  run({"ip", "addr", "add", std::string(kAddress) + "/32", "dev", "lo"});
  auto second = std::async(std::launch::async, [&] { return own_side(*sandbox, 2, "b", images_); });
  sides_.push_back(own_side(*sandbox, 1, "a", images_));
  sides_.push_back(second.get());
  servers_ = std::make_unique<Servers>(folder, kAddress);
}

Environment::~Environment() {
  if (servers_) servers_->traffic().stop();
}

void clean_given_clusters(const std::filesystem::path& folder) {
  for (const auto& [side, kubeconfig] : {std::pair("a", "KUBECONFIG_A"), std::pair("b", "KUBECONFIG_B")}) {
    if (!std::filesystem::exists(mark_of(folder, side))) continue;
    fmt::print("cluster {}: what was made in it is deleted\n", side);
    std::fflush(stdout);
    tidy(Kubectl(variable(kubeconfig), folder / side));
  }
}

void Environment::install(Side& side, const std::string& tag, const std::vector<std::string>& values) {
  std::vector<std::string> args{"upgrade",     "--install", "datasync", PROJECT_SOURCE_DIR "/charts/datasync-operator",
                                "--namespace", kOperators,  "--wait",   "--timeout",
                                "120s"};
  const auto set = [&](const std::string& value) {
    args.emplace_back("--set");
    args.push_back(value);
  };
  set(fmt::format("image.repository={}/operator", images_.repository));
  set(fmt::format("agentImage.repository={}/agents", images_.repository));
  set("image.tag=" + tag);
  set("agentImage.tag=" + tag);
  for (const auto& value : side.values) set(value);
  for (const auto& value : values) set(value);
  side.kubectl.helm(args);
}

void Environment::prepare(Side& side) {
  for (const char* ns : {kNamespace, kOperators}) side.kubectl.apply(restricted_namespace(ns));
  for (const auto& server : servers_->names()) side.kubectl.apply(service_to(server, servers_->address()));
  for (const auto& [name, text] : secrets(*servers_)) side.kubectl.apply(text);
}

void Environment::apply(Side& side, const std::string& name, const std::string& manifest) {
  side.kubectl.apply(manifest);
  side.resources[name] = manifest;
}

std::string Environment::not_ready() const {
  std::string text;
  for (const auto& side : sides_) {
    std::map<std::string, nlohmann::json> there;
    for (auto& item : items(side.kubectl.get({"-n", kNamespace, "datasyncs"}))) {
      const std::string name = item["metadata"]["name"];
      there[name] = std::move(item);
    }
    for (const auto& [name, manifest] : side.resources) {
      const auto found = there.find(name);
      if (found == there.end()) {
        text += fmt::format("{}/{}: not there\n", side.name, name);
      } else if (!is_ready_now(found->second)) {
        text += fmt::format("{}/{}: {}\n", side.name, name, conditions_of(found->second).dump());
      }
    }
  }
  return text;
}

double Environment::wait_until_healthy(std::chrono::seconds limit) {
  const auto begin = Clock::now();
  std::string wrong;
  const auto ready = [&] { return (wrong = not_ready()).empty(); };
  const auto rest = [&] { return std::chrono::duration_cast<milliseconds>(limit - (Clock::now() - begin)); };
  if (!in_time(ready, rest())) throw std::runtime_error(fmt::format("not Ready after {} s:\n{}", limit.count(), wrong));
  if (!servers_->catch_up(std::max(rest(), milliseconds(1000)))) {
    const auto source = servers_->source_mark();
    const auto there = servers_->reached();
    throw std::runtime_error(fmt::format("Ready, but data does not arrive within {} s: audit {} of {}, orders {} of {}",
                                         limit.count(), there.audit, source.audit, there.order, source.order));
  }
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string Environment::report() const {
  std::string text;
  for (const auto& side : sides_) {
    const auto add = [&](std::vector<std::string> args) {
      text += fmt::format("--- {}: kubectl {}\n", side.name, fmt::join(args, " "));
      text += say([&] { return side.kubectl.run(args); });
    };
    add({"get", "pods", "-A", "-o", "wide"});
    add({"get", "datasyncs", "-A", "-o", "wide"});
    add({"-n", kNamespace, "get", "events", "--sort-by=.lastTimestamp"});
    for (const auto& [name, manifest] : side.resources)
      add({"-n", kNamespace, "logs", "-l", "datasync.dev/name=" + name, "--tail=15"});
    add({"-n", kOperators, "logs", "-l", "app.kubernetes.io/component=operator", "--tail=15"});
  }
  return text;
}

}  // namespace datasync::test
