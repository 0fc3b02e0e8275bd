// `datasync run` as a process, with agents that only pretend (fake_agent.cpp).
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

struct RunTest : testing::Test {
  TempDir dir;
  std::filesystem::path state = dir.path() / "state";
  std::filesystem::path out = dir.path() / "out";
  Process process;

  RunTest() {
    for (const auto* agent : {"datasync-capture", "datasync-apply"}) {
      std::filesystem::create_symlink(FAKE_AGENT, dir.path() / agent);
    }
    for (const auto* secret : {"r", "w"}) {
      std::filesystem::create_directories(dir.path() / "secrets" / secret);
      for (const auto* key : {"username", "password"}) write_file(dir.path() / "secrets" / secret / key, "x");
    }
  }

  std::filesystem::path resource(const std::string& topic, const std::string& mode, const std::string& more = "") {
    const auto file = dir.path() / "shop.yaml";
    write_file(file,
               "apiVersion: datasync.dev/v1alpha1\nkind: DataSync\nmetadata: {name: shop, namespace: sync}\nspec:\n"
               "  mode: " +
                   mode + "\n" + more +
                   "  source:\n    replicas: [{host: db-1}]\n    credentials: {secretName: r}\n"
                   "    types: [{name: orders, tables: [shop.a]}]\n"
                   "  channel: {bootstrapServers: \"k:9092\", topic: " +
                   topic +
                   "}\n"
                   "  destination: {host: dr, credentials: {secretName: w}}\n");
    return file;
  }

  void start(const std::filesystem::path& file, bool keep_state = true) {
    ProcessOptions options;
    options.args = {DATASYNC,       "run",
                    "-f",           file.string(),
                    "--agents-dir", dir.path().string(),
                    "--secrets",    (dir.path() / "secrets").string()};
    if (keep_state) options.args.insert(options.args.end(), {"--state-dir", state.string()});
    options.env = {{"TMPDIR", (dir.path() / "tmp").string()}};
    options.log = out;
    std::filesystem::create_directories(dir.path() / "tmp");
    process = Process::start(options);
  }

  [[nodiscard]] bool says(const std::string& text, milliseconds limit = seconds(10)) const {
    return eventually([&] { return read_file(out).find(text) != std::string::npos; }, limit);
  }
  [[nodiscard]] std::string log(const std::string& agent) const {
    return read_file(state / ("sync.shop." + agent + ".log"));
  }
  // The process id that the agent wrote last.
  [[nodiscard]] pid_t pid_of(const std::string& agent) const {
    const auto text = log(agent);
    const auto at = text.rfind("pid=");
    return at == text.npos ? 0 : static_cast<pid_t>(std::stoi(text.substr(at + 4)));
  }
  static bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }
};

TEST_F(RunTest, once_exits_zero_when_all_is_equal_and_leaves_nothing) {
  start(resource("completes", "Once"), false);
  const auto exit = process.wait(seconds(20));
  ASSERT_TRUE(exit) << read_file(out);
  EXPECT_EQ(exit->code, 0) << read_file(out);
  EXPECT_THAT(read_file(out), HasSubstr("complete: all rows copied, source and destination are equal\n"));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path() / "tmp"));
}

TEST_F(RunTest, once_exits_one_when_a_table_differs) {
  start(resource("differs", "Once"));
  const auto exit = process.wait(seconds(20));
  ASSERT_TRUE(exit) << read_file(out);
  EXPECT_EQ(exit->code, 1);
  EXPECT_THAT(read_file(out), HasSubstr("sync/shop: VerifyFailed: source and destination differ: shop.a\n"));
}

TEST_F(RunTest, lines_show_state_server_position_and_the_agents_logs) {
  start(resource("streams", "Continuous"));
  EXPECT_TRUE(says("sync/shop capture: Streaming server=db-2:3306 position=0-1-5 rows=")) << read_file(out);
  EXPECT_TRUE(says("[sync/shop apply] pid=")) << read_file(out);
}

TEST_F(RunTest, a_stop_ends_the_agents_in_order) {
  for (const int signal : {SIGTERM, SIGINT}) {
    std::filesystem::remove(out);
    std::filesystem::remove_all(state);
    start(resource("streams", "Continuous"));
    ASSERT_TRUE(says("capture: Streaming") && says("apply: Streaming")) << read_file(out);
    process.send(signal);
    const auto exit = process.wait(seconds(10));
    ASSERT_TRUE(exit) << read_file(out);
    EXPECT_TRUE(exit->clean()) << exit->text() << read_file(out);
    EXPECT_THAT(log("capture"), HasSubstr("ended in order"));
    EXPECT_THAT(log("apply"), HasSubstr("ended in order"));
    EXPECT_FALSE(alive(pid_of("capture")) || alive(pid_of("apply")));
  }
}

TEST_F(RunTest, an_agent_that_does_not_stop_is_killed) {
  start(resource("stubborn", "Continuous"));
  ASSERT_TRUE(says("capture: Streaming") && says("apply: Streaming")) << read_file(out);
  const auto capture = pid_of("capture");
  process.send(SIGTERM);
  const auto exit = process.wait(seconds(20));
  ASSERT_TRUE(exit) << read_file(out);
  EXPECT_TRUE(exit->clean());
  EXPECT_FALSE(alive(capture));
}

TEST_F(RunTest, a_killed_agent_is_restarted) {
  start(resource("streams", "Continuous"));
  ASSERT_TRUE(says("capture: Streaming")) << read_file(out);
  const auto killed = pid_of("capture");
  ::kill(killed, SIGKILL);
  EXPECT_TRUE(says("capture: Restarting AgentEnded: signal 9")) << read_file(out);
  EXPECT_TRUE(eventually([&] { return pid_of("capture") != killed; }, seconds(10)));
  EXPECT_TRUE(alive(pid_of("capture")));
}

TEST_F(RunTest, an_agent_that_keeps_exiting_is_restarted_each_time) {
  start(resource("dies", "Continuous"));
  EXPECT_TRUE(says("capture: Restarting AgentEnded: exit 7")) << read_file(out);
  const auto starts = [&] {
    const auto text = log("capture");
    std::size_t n = 0;
    for (auto at = text.find("pid="); at != text.npos; at = text.find("pid=", at + 1)) ++n;
    return n;
  };
  EXPECT_TRUE(eventually([&] { return starts() >= 3; }, seconds(20))) << log("capture");
}

TEST_F(RunTest, agents_die_with_a_killed_parent) {
  start(resource("streams", "Continuous"));
  ASSERT_TRUE(says("capture: Streaming") && says("apply: Streaming")) << read_file(out);
  const auto capture = pid_of("capture");
  const auto apply = pid_of("apply");
  process.kill();
  EXPECT_TRUE(eventually([&] { return !alive(capture) && !alive(apply); }, seconds(5)));
}

TEST_F(RunTest, an_agent_inherits_no_file_and_no_blocked_signal) {
  start(resource("streams", "Continuous"));
  ASSERT_TRUE(says("apply: Streaming")) << read_file(out);
  for (const auto* agent : {"capture", "apply"}) {
    EXPECT_THAT(log(agent), HasSubstr(" files=3 mark=1 term_blocked=0\n"));
  }
}

TEST_F(RunTest, a_paused_resource_runs_no_agent) {
  start(resource("streams", "Continuous", "  paused: true\n"));
  EXPECT_TRUE(says("sync/shop -: Paused")) << read_file(out);
  EXPECT_EQ(log("capture"), "");
}

TEST_F(RunTest, what_is_not_valid_or_not_built_is_not_started) {
  start(resource("streams", "Twice"));
  auto exit = process.wait(seconds(10));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 1);
  EXPECT_THAT(read_file(out), HasSubstr(", document 1: spec.mode: \"Twice\" is not one of Continuous, Once\n"));
}

TEST_F(RunTest, a_missing_agent_is_named) {
  std::filesystem::remove(dir.path() / "datasync-apply");
  start(resource("streams", "Continuous"));
  const auto exit = process.wait(seconds(10));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 1);
  EXPECT_THAT(read_file(out), HasSubstr("datasync-apply does not exist; set its folder with --agents-dir"));
}

}  // namespace
}  // namespace datasync::test
