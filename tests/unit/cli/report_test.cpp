// The support bundle: complete, readable by tar, and without secrets.
#include "cli/cluster/report.hpp"

#include <gtest/gtest.h>

#include "cli/cluster/tar.hpp"

namespace datasync::cli {
namespace {

using Json = nlohmann::json;

TEST(Redacted, removes_what_may_be_a_secret_and_keeps_what_names_one) {
  const auto object = redacted(Json::parse(R"({"kind": "Deployment",
    "metadata": {"name": "a", "managedFields": [1],
      "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"password\": \"hunter2\"}", "x": "kept"}},
    "spec": {"credentials": {"secretName": "reader", "passwordKey": "pass"}, "password": "hunter2",
      "env": [{"name": "PROXY", "value": "http://user:hunter2@proxy"}, {"name": "A", "valueFrom": {"fieldRef": "f"}}],
      "deep": [{"apiToken": "hunter2", "privateKey": "hunter2", "apiKey": "hunter2", "tokens": {"API_KEY": "hunter2"}}], "automountServiceAccountToken": false}})"));
  const auto text = object.dump();
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_EQ(object["spec"]["credentials"]["secretName"], "reader");
  EXPECT_EQ(object["spec"]["credentials"]["passwordKey"], "pass");
  EXPECT_EQ(object["spec"]["env"][0]["name"], "PROXY");
  EXPECT_EQ(object["metadata"]["annotations"]["x"], "kept");
  EXPECT_FALSE(object["metadata"].contains("managedFields"));
}

// Whoever sent the bundle sent the passwords of his sidecars too.
TEST(Redacted, no_password_stays_in_the_words_of_a_command) {
  const auto object = redacted(Json::parse(R"({"kind": "DataSync", "spec": {"apply": {"podTemplate": {"spec": {
    "containers": [
      {"name": "agent", "command": ["datasync-apply"], "args": ["--config", "/etc/datasync/config/config.json"]},
      {"name": "proxy", "command": ["sh", "-c", "proxy -phunter2"],
       "args": ["--password=hunter2", "--user", "hunter2", "-phunter2", "hunter2", 7, "http://me:hunter2@host/path"],
       "livenessProbe": {"exec": {"command": ["mariadb", "-phunter2"]}},
       "lifecycle": {"preStop": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": "hunter2"}]}}},
       "env": [{"name": "PIN", "value": 4711}]}]}}}},
    "status": {"note": "a http://me:hunter2@host:1/x and https://u:hunter2@h, b@c://d"}})"));
  const auto text = object.dump();
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_EQ(text.find("4711"), std::string::npos) << text;
  const auto& containers = object["spec"]["apply"]["podTemplate"]["spec"]["containers"];
  EXPECT_EQ(containers[0]["args"], Json({"--config", "/etc/datasync/config/config.json"}));
  EXPECT_EQ(containers[0]["command"], Json({"datasync-apply"}));
  EXPECT_EQ(containers[1]["command"], Json({"sh", "<removed>", "<removed>"}));
  EXPECT_EQ(containers[1]["args"][0], "--password=<removed>");
  EXPECT_EQ(containers[1]["args"][1], "--user");
  EXPECT_EQ(object["status"]["note"], "a http://<removed>@host:1/x and https://<removed>@h, b@c://d");
}

TEST(Redacted, drops_the_content_of_a_secret) {
  const auto object = redacted({{"kind", "Secret"}, {"data", {{"a", "aHVudGVyMg=="}}}, {"stringData", {{"b", "c"}}}});
  EXPECT_EQ(object, Json({{"kind", "Secret"}}));
}

TEST(Tar, has_whole_blocks_a_checksum_and_two_empty_blocks_at_the_end) {
  const std::string text(513, 'x');
  const auto archive = tar({{"report/a.yaml", text}, {"report/b.txt", ""}}, base::WallTime{});
  ASSERT_EQ(archive.size(), 512U * (1 + 2 + 1 + 2));
  EXPECT_EQ(archive.substr(0, 13), "report/a.yaml");
  EXPECT_EQ(archive.substr(124, 11), "00000001001");
  EXPECT_EQ(archive.substr(257, 5), "ustar");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) {
    sum += i >= 148 && i < 156 ? 32U : static_cast<unsigned char>(archive[i]);
  }
  EXPECT_EQ(std::stoul(archive.substr(148, 6), nullptr, 8), sum);
  EXPECT_EQ(archive.substr(512, 513), text);
  EXPECT_EQ(archive.substr(archive.size() - 1024), std::string(1024, '\0'));
}

}  // namespace
}  // namespace datasync::cli
