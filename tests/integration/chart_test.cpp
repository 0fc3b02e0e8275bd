// The chart: as helm renders it (golden files), and as a real API server takes it. UPDATE_GOLDEN=1 writes the files
// again.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "agents/config/config.hpp"
#include "operator/api/crd.hpp"
#include "operator/api/yaml.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string kChart = PROJECT_SOURCE_DIR "/charts/datasync-operator";
const fs::path kData = PROJECT_SOURCE_DIR "/tests/data/chart";
const std::string kVersion = "1.34.0";
constexpr std::chrono::seconds kPatience{60};

struct CommandResult {
  int code = 0;
  std::string text;
};

class ChartTest : public testing::Test {
 protected:
  CommandResult helm(const std::vector<std::string>& args) const {
    test::ProcessOptions o;
    o.args = {test::kube_tool("helm").string()};
    o.args.insert(o.args.end(), args.begin(), args.end());
    o.log = folder_.path() / "helm.out";
    o.env = {{"HOME", folder_.path().string()}, {"HELM_CACHE_HOME", folder_.path().string()}};
    fs::remove(o.log);
    auto process = test::Process::start(o);
    const auto exit = process.wait(kPatience);
    return {exit ? exit->code : -1, test::read_file(o.log)};
  }
  CommandResult render(const std::vector<std::string>& more) const {
    std::vector<std::string> args{"template", "datasync", kChart, "-n", "datasync-system", "--kube-version", kVersion};
    args.insert(args.end(), more.begin(), more.end());
    return helm(args);
  }
  test::TempDir folder_;
};

TEST_F(ChartTest, passes_helm_lint) {
  for (const auto* values : {"default", "namespaced", "everything"}) {
    const auto result = helm({"lint", kChart, "--strict", "--kube-version", kVersion, "-f",
                              (kData / (std::string(values) + ".values.yaml")).string()});
    EXPECT_EQ(result.code, 0) << result.text;
  }
}

TEST_F(ChartTest, renders_the_golden_files) {
  for (const std::string name : {"default", "namespaced", "everything"}) {
    const auto file = (kData / (name + ".yaml")).string();
    const auto result = render({"-f", (kData / (name + ".values.yaml")).string()});
    ASSERT_EQ(result.code, 0) << result.text;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(file) << result.text;
    EXPECT_EQ(result.text, config::read_file(file).value_or("")) << name << ": run with UPDATE_GOLDEN=1";
  }
}

TEST_F(ChartTest, has_the_crd_as_a_template_that_is_kept) {
  const auto definition = [this](const std::vector<std::string>& more) {
    auto args = more;
    args.insert(args.end(), {"--show-only", "templates/crds.yaml"});
    const auto result = render(args);
    EXPECT_EQ(result.code, 0) << result.text;
    return result.text;
  };
  const auto kept = definition({});
  EXPECT_THAT(kept, HasSubstr("helm.sh/resource-policy: keep"));
  EXPECT_THAT(definition({"--set", "crds.keep=false"}), Not(HasSubstr("resource-policy")));
  const auto tree = api::parse_yaml(kept).value();
  ASSERT_EQ(tree.size(), 1U);
  const auto own = config::parse_json(api::crd().dump()).value();
  EXPECT_EQ(*tree[0].value.find("spec"), *own.find("spec"));
  EXPECT_NE(render({"--set", "crds.enabled=false", "--show-only", "templates/crds.yaml"}).code, 0);
}

TEST_F(ChartTest, rejects_wrong_values_with_their_path) {
  for (const auto& [set, words] : {std::pair("replica=2", "replica"), std::pair("replicas=many", "replicas"),
                                   std::pair("metrics.port=70000", "port"), std::pair("logLevel=loud", "logLevel"),
                                   std::pair("watch.namespaces={A_B}", "namespaces")}) {
    const auto result = render({"--set", set});
    EXPECT_NE(result.code, 0) << set;
    EXPECT_THAT(result.text, HasSubstr(words)) << set;
  }
}

// No right by a star, and none to secrets outside of the namespaces that are named.
TEST_F(ChartTest, has_roles_without_wildcards) {
  for (const std::string name : {"default", "namespaced", "everything"}) {
    const auto result = render({"-f", (kData / (name + ".values.yaml")).string()});
    const auto documents = api::parse_yaml(result.text).value();
    for (const auto& document : documents) {
      const auto* kind = document.value.find("kind");
      if (kind == nullptr || !kind->shown().ends_with("Role\"")) continue;
      EXPECT_EQ(config::to_json(document.value).find("\"*\""), std::string::npos) << name;
      const bool cluster = kind->shown() == "\"ClusterRole\"";
      if (!cluster) continue;
      EXPECT_EQ(config::to_json(document.value).find("\"secrets\""), std::string::npos) << name;
    }
  }
}

class ChartInstallTest : public ChartTest {
 protected:
  void SetUp() override {
    for (const auto* ns : {"datasync-system", "sync", "other"}) server_.make_namespace(ns);
    server_.kubectl({"label", "namespace", "datasync-system", "pod-security.kubernetes.io/enforce=restricted"});
  }
  CommandResult install(const std::string& release, const std::vector<std::string>& more) const {
    std::vector<std::string> args{"upgrade", "--install",       release,        kChart,
                                  "-n",      "datasync-system", "--kubeconfig", server_.kubeconfig().string()};
    args.insert(args.end(), more.begin(), more.end());
    return helm(args);
  }
  bool may(const std::string& verb, const std::string& what, const std::string& ns, const std::string& who) const {
    try {
      return server_.kubectl({"auth", "can-i", verb, what, "-n", ns, "--as", who}).starts_with("yes");
    } catch (const std::exception&) {
      return false;  // can-i ends with 1
    }
  }
  // What the Deployment's pod would be, given to the admission that guards the namespace.
  std::string try_pod(const std::string& deployment) const {
    const auto d =
        Json::parse(server_.kubectl({"get", "deployment", deployment, "-n", "datasync-system", "-o", "json"}));
    Json pod{{"apiVersion", "v1"}, {"kind", "Pod"}};
    pod["metadata"] = {{"name", "one"}, {"namespace", "datasync-system"}};
    pod["spec"] = d["spec"]["template"]["spec"];
    return server_.kubectl({"create", "--dry-run=server", "-f", "-"}, pod.dump());
  }
  test::ApiServer server_{folder_.path()};
};

TEST_F(ChartInstallTest, installs_for_the_whole_cluster_without_a_right_to_secrets) {
  const auto result = install("datasync", {});
  ASSERT_EQ(result.code, 0) << result.text;
  EXPECT_THAT(result.text, HasSubstr("is installed as datasync-system.datasync"));
  const std::string who = "system:serviceaccount:datasync-system:datasync-datasync-operator";
  for (const auto* what : {"datasyncs.datasync.dev", "deployments.apps", "configmaps", "pods"}) {
    EXPECT_TRUE(may("list", what, "other", who)) << what;
  }
  EXPECT_TRUE(may("patch", "datasyncs.datasync.dev/status", "other", who));
  EXPECT_TRUE(may("update", "leases.coordination.k8s.io", "datasync-system", who));
  for (const auto* ns : {"other", "datasync-system"}) EXPECT_FALSE(may("get", "secrets", ns, who)) << ns;
  EXPECT_FALSE(may("list", "nodes", "other", who));
  EXPECT_FALSE(may("create", "networkpolicies.networking.k8s.io", "other", who)) << "not asked for";
  EXPECT_THAT(try_pod("datasync-datasync-operator"), HasSubstr("pod/one created"));
  // The definition is there, and outlives the release.
  server_.kubectl({"apply", "--server-side", "-f", PROJECT_SOURCE_DIR "/crds/samples/full.yaml"});
  ASSERT_EQ(
      helm({"uninstall", "datasync", "-n", "datasync-system", "--kubeconfig", server_.kubeconfig().string()}).code, 0);
  EXPECT_THAT(server_.kubectl({"get", "dsync", "-n", "sync"}), HasSubstr("shop"));
}

TEST_F(ChartInstallTest, installs_for_namespaces_beside_another_release) {
  const auto one = install("blue", {"--set", "watch.namespaces={sync}"});
  ASSERT_EQ(one.code, 0) << one.text;
  const auto two = install("green", {"--set", "watch.namespaces={other},crds.enabled=false"});
  ASSERT_EQ(two.code, 0) << two.text;
  const std::string blue = "system:serviceaccount:datasync-system:blue-datasync-operator";
  EXPECT_TRUE(may("get", "secrets", "sync", blue));
  EXPECT_TRUE(may("create", "deployments.apps", "sync", blue));
  for (const auto* what : {"secrets", "deployments.apps", "datasyncs.datasync.dev"}) {
    EXPECT_FALSE(may("get", what, "other", blue)) << what;
  }
  // Who may edit a namespace may edit what is in it. (The controller that adds roles up does not run here.)
  const auto roles = server_.kubectl({"get", "clusterroles", "-l", "rbac.authorization.k8s.io/aggregate-to-edit=true"});
  EXPECT_THAT(roles, HasSubstr("datasync-system-blue-datasync-operator-edit"));
  EXPECT_EQ(install("blue", {"--set", "watch.namespaces={sync}"}).code, 0) << "an upgrade to the same";
}

}  // namespace
}  // namespace datasync
