// `kubectl datasync` as people call it, by kubectl, on a real API server.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/api_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct CommandResult {
  int code = 0;
  std::string text;
};

class PluginTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<test::TempDir>();
    server_ = std::make_unique<test::ApiServer>(folder_->path());
    server_->define(test::read_file(PROJECT_SOURCE_DIR "/crds/datasync.dev_datasyncs.yaml"), "datasyncs.datasync.dev");
    server_->make_namespace("sync");
    std::ifstream sample(PROJECT_SOURCE_DIR "/crds/samples/full.yaml");
    std::string text{std::istreambuf_iterator<char>(sample), {}};
    text.replace(text.find("\nspec:\n"), 7, "\nspec:\n  paused: false\n");  // a manifest that names it
    std::ofstream(folder_->path() / "shop.yaml") << text;
    server_->kubectl({"apply", "--server-side", "-f", (folder_->path() / "shop.yaml").string()});
    server_->kubectl({"apply", "--server-side", "--subresource=status", "--field-manager=operator", "-f", "-"},
                     kStatus);
    server_->apply(kEvent);
    server_->apply(kSecret);
    server_->apply(R"({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "sync"}})");
    server_->apply(kPod);
  }
  static void TearDownTestSuite() {
    server_.reset();
    folder_.reset();
  }

  static CommandResult run(std::vector<std::string> args) {
    test::ProcessOptions o;
    o.args = std::move(args);
    o.log = folder_->path() / "out";
    const auto kubectl = test::kube_tool("kubectl").parent_path().string();
    o.env = {{"PATH", fs::path(DATASYNC).parent_path().string() + ":" + kubectl + ":/usr/bin:/bin"},
             {"KUBECONFIG", server_->kubeconfig().string()}};
    fs::remove(o.log);
    auto process = test::Process::start(o);
    const auto exit = process.wait(std::chrono::seconds(30));
    return {exit ? exit->code : -1, test::read_file(o.log)};
  }
  static CommandResult plugin(std::vector<std::string> args) {
    args.insert(args.begin(), {test::kube_tool("kubectl").string(), "datasync"});
    return run(std::move(args));
  }
  static Json get() { return Json::parse(server_->kubectl({"get", "datasync", "shop", "-n", "sync", "-o", "json"})); }

  static constexpr const char* kStatus = R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync",
    "metadata": {"name": "shop", "namespace": "sync"}, "status": {"observedGeneration": 1, "operator": "op.x",
      "source": "shop-db-1.shop:3306", "lag": "3s", "rows": 12,
      "conditions": [{"type": "Ready", "status": "True", "reason": "Streaming", "message": "flows",
                      "lastTransitionTime": "2026-01-02T03:04:05Z"}],
      "capture": {"state": "Streaming", "endpoint": "shop-db-1.shop:3306", "position": "0-1-9", "rows": 12,
                  "lag": {"replica": "1s"}}}})";
  static constexpr const char* kEvent = R"({"apiVersion": "events.k8s.io/v1", "kind": "Event",
    "metadata": {"name": "shop.1", "namespace": "sync"}, "eventTime": "2026-01-02T03:04:05.000000Z",
    "regarding": {"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync", "name": "shop", "namespace": "sync"},
    "reason": "Streaming", "note": "data flows now", "type": "Normal", "action": "Reconcile",
    "reportingController": "datasync.dev/operator", "reportingInstance": "x"})";
  static constexpr const char* kPod = R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop-capture-x",
    "namespace": "sync", "labels": {"datasync.dev/name": "shop"}}, "spec": {"serviceAccountName": "a", "nodeName": "node-1",
    "containers": [{"name": "agent", "image": "i", "env": [{"name": "A", "value": "hunter2"}]}]}})";
  static constexpr const char* kSecret = R"({"apiVersion": "v1", "kind": "Secret",
    "metadata": {"name": "shop-reader", "namespace": "sync"}, "stringData": {"password": "hunter2"}})";
  inline static std::unique_ptr<test::TempDir> folder_;
  inline static std::unique_ptr<test::ApiServer> server_;
};

TEST_F(PluginTest, status_shows_summary_agents_lag_and_events) {
  const auto result = plugin({"status", "shop", "-n", "sync"});
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_THAT(result.text,
              AllOf(HasSubstr("sync/shop  Ready: Streaming"), HasSubstr("shop-db-1.shop:3306, of 2 replicas"),
                    HasSubstr("replica 1s"), HasSubstr("data flows now"), HasSubstr("shop-capture-x  Pending")));
  const auto json = plugin({"status", "shop", "-n", "sync", "-o", "json"});
  EXPECT_EQ(Json::parse(json.text)["resource"]["status"]["rows"], 12);
  EXPECT_EQ(Json::parse(json.text)["events"][0]["note"], "data flows now");
  const auto yaml = plugin({"status", "shop", "-n", "sync", "-o", "yaml"});
  EXPECT_THAT(yaml.text, HasSubstr("note: data flows now"));
}

TEST_F(PluginTest, pause_and_resume_set_one_field_and_restart_an_annotation) {
  const auto before = get();
  EXPECT_THAT(plugin({"pause", "shop", "--namespace", "sync"}).text,
              AllOf(HasSubstr("sync/shop is paused"), HasSubstr("kubectl also applies spec.paused")));
  auto expected = before["spec"];
  expected["paused"] = true;
  EXPECT_EQ(get()["spec"], expected);
  const auto again = run(
      {test::kube_tool("kubectl").string(), "apply", "--server-side", "-f", (folder_->path() / "shop.yaml").string()});
  EXPECT_THAT(again.text, HasSubstr("conflict with \"kubectl-datasync\""));
  EXPECT_EQ(get()["spec"], expected);
  EXPECT_EQ(plugin({"resume", "shop", "-n", "sync"}).code, 0);
  EXPECT_EQ(get()["spec"], before["spec"]);
  EXPECT_EQ(plugin({"restart", "shop", "-n", "sync"}).code, 0);
  EXPECT_EQ(get()["spec"], before["spec"]);
  EXPECT_FALSE(get()["metadata"]["annotations"]["datasync.dev/restart"].get<std::string>().empty());
}

TEST_F(PluginTest, errors_show_the_servers_message_and_set_the_exit_status) {
  const auto missing = plugin({"status", "nothing", "-n", "sync"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.text, HasSubstr("datasyncs.datasync.dev \"nothing\" not found"));
  const auto kubeconfig = server_->kubeconfig_of("nobody").string();
  const auto forbidden = plugin({"restart", "shop", "-n", "sync", "--kubeconfig", kubeconfig});
  EXPECT_EQ(forbidden.code, 1);
  EXPECT_THAT(forbidden.text, HasSubstr("cannot patch resource"));
  const auto unknown = run({DATASYNC, "statsu"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.text, "unknown command \"statsu\"; did you mean status?\n");
  EXPECT_EQ(run({DATASYNC, "status"}).code, 2);
  EXPECT_EQ(run({DATASYNC, "status", "shop", "--context", "nowhere"}).code, 1);
}

TEST_F(PluginTest, every_program_has_a_version_and_exits_two_on_a_bad_option) {
  for (const auto* program : {"datasync", "kubectl-datasync", "datasync-capture", "datasync-apply"}) {
    const auto path = (fs::path(DATASYNC).parent_path() / program).string();
    const auto version = run({path, "--version"});
    EXPECT_EQ(version.code, 0) << program;
    EXPECT_EQ(version.text, DATASYNC_VERSION "\n") << program;
    EXPECT_EQ(run({path, "--nonsense"}).code, 2) << program;
    EXPECT_EQ(run({path}).code, 2) << program;
  }
}

TEST_F(PluginTest, report_is_a_tar_without_secrets) {
  const auto file = folder_->path() / "bundle.tar";
  const auto result = plugin({"report", "shop", "-n", "sync", "-f", file.string()});
  ASSERT_EQ(result.code, 0) << result.text;
  const auto list = run({"/bin/tar", "-tf", file.string()}).text;
  EXPECT_THAT(list, AllOf(HasSubstr("datasync-report/resource.yaml"), HasSubstr("datasync-report/events.yaml"),
                          HasSubstr("datasync-report/definition.yaml"), HasSubstr("datasync-report/shop-capture-x.log"),
                          Not(HasSubstr("could-not-be-read"))));
  const auto content = run({"/bin/tar", "-xOf", file.string()}).text;
  EXPECT_THAT(content, AllOf(HasSubstr("shop-reader"), HasSubstr("node-1\" not found"), Not(HasSubstr("hunter2")),
                             Not(HasSubstr("managedFields"))));
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(PluginTest, completes_names_from_the_server_and_for_kubectl) {
  EXPECT_EQ(run({DATASYNC, "__complete", "--", "status", "-n", "sync", ""}).text, "shop\n");
  EXPECT_EQ(run({fs::path(DATASYNC).parent_path() / "kubectl_complete-datasync", "re"}).text,
            "report\nrestart\nresume\n:4\n");
  const auto script = run({DATASYNC, "completion", "bash"}).text;
  const auto file = folder_->path() / "completion.bash";
  test::write_file(file, script + "COMP_WORDS=(datasync pa); COMP_CWORD=1; _datasync; echo \"${COMPREPLY[@]}\"\n");
  EXPECT_EQ(run({"/bin/bash", file.string()}).text, "pause\n");
}

TEST_F(PluginTest, watch_repeats_until_it_is_stopped) {
  test::ProcessOptions o;
  o.args = {DATASYNC, "status", "shop", "-n", "sync", "--watch"};
  o.log = folder_->path() / "watch";
  o.env = {{"KUBECONFIG", server_->kubeconfig().string()}};
  auto process = test::Process::start(o);
  const auto times = [&] {
    const auto text = test::read_file(o.log);
    const auto first = text.find("sync/shop  ");
    return first != text.npos && text.find("sync/shop  ", first + 1) != text.npos;
  };
  EXPECT_TRUE(test::eventually(times, std::chrono::seconds(20)));
  process.send(SIGINT);
  const auto exit = process.wait(std::chrono::seconds(10));
  EXPECT_TRUE(exit && exit->code == 0);
}

}  // namespace
}  // namespace datasync
