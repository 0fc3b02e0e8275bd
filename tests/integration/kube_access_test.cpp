// operator/kube against a real API server: every kind of credentials, good and bad.

#include <sys/stat.h>

#include "tests/integration/kube_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::kube {
namespace {

using test::eventually;

TEST_F(KubeTest, RefusesAServerOfAnotherAuthority) {
  test::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", (dir_->path() / "other.key").string(), "-out", (dir_->path() / "other.crt").string(), "-days",
             "2", "-subj", "/CN=other"});
  options_.kubeconfig = kubeconfig_with("{token: x}", (dir_->path() / "other.crt").string()).string();
  const auto refused = open()->get(kNamespaces, {"", "default"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Transport);
  EXPECT_NE(refused.error().message.find("authority"), std::string::npos) << refused.error().message;
}

TEST_F(KubeTest, ABadTokenIsUnauthorizedAndAGoodOneLacksRights) {
  options_.kubeconfig = kubeconfig_with("{token: nonsense}").string();
  EXPECT_EQ(open()->get(kNamespaces, {"", "default"}).error().code, Code::Unauthorized);
  options_.kubeconfig =
      kubeconfig_with(fmt::format("{{token: \"{}\"}}", server_->service_account_token(ns_, "someone"))).string();
  const auto refused = open()->list(kSecrets, {ns_, "", ""});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Forbidden);
  EXPECT_NE(refused.error().message.find("cannot list resource \"secrets\""), std::string::npos);
}

TEST_F(KubeTest, ATokenFileIsReadForEveryCall) {
  const auto token = dir_->path() / "token";
  write_file(token, "nonsense");
  options_.kubeconfig = kubeconfig_with(fmt::format("{{tokenFile: \"{}\"}}", token.string())).string();
  const auto api = open();
  EXPECT_EQ(api->get(kConfigMaps, key("a")).error().code, Code::Unauthorized);
  write_file(token, server_->service_account_token(ns_, "someone") + "\n");
  EXPECT_EQ(api->get(kConfigMaps, key("a")).error().code, Code::Forbidden) << "known, without rights";
}

TEST_F(KubeTest, AnExecPluginIsRunOnceUntilItsCredentialIsRefused) {
  const auto folder = dir_->path() / "plugin";
  std::filesystem::create_directories(folder);
  write_file(folder / "token", server_->service_account_token(ns_, "someone"));
  write_file(folder / "plugin",
             fmt::format("#!/bin/bash\necho run >> {0}/runs\n[ \"$GREETING\" = hello ] || exit 3\n"
                         "printf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
                         "\"status\":{{\"token\":\"%s\"}}}}' \"$(cat {0}/token)\"\n",
                         folder.string()));
  chmod((folder / "plugin").c_str(), 0755);
  options_.kubeconfig =
      kubeconfig_with(fmt::format("{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: \"{}/plugin\", "
                                  "interactiveMode: Never, env: [{{name: GREETING, value: hello}}]}}}}",
                                  folder.string()))
          .string();
  const auto api = open();
  EXPECT_EQ(api->get(kConfigMaps, key("a")).error().code, Code::Forbidden);
  EXPECT_EQ(api->get(kConfigMaps, key("a")).error().code, Code::Forbidden);
  EXPECT_EQ(test::read_file(folder / "runs"), "run\n");
  // The service account goes; its token with it. The plugin is asked once more and gives that of the new one.
  ASSERT_TRUE(api_->remove(kServiceAccounts, key("someone")));
  write_file(folder / "token", server_->service_account_token(ns_, "someone-else"));
  EXPECT_TRUE(eventually(
      [&] {
        return api->get(kConfigMaps, key("a")).error().code == Code::Forbidden &&
               test::read_file(folder / "runs") == "run\nrun\n";
      },
      seconds(15)));
}

TEST_F(KubeTest, NamesTheNamespaceOfTheContext) {
  options_.kubeconfig = kubeconfig_with("{token: x}").string();
  EXPECT_EQ(default_namespace(options_).value(), ns_);
  options_.context = "no-such-context";
  EXPECT_EQ(default_namespace(options_).error().reason, base::Reason::ConfigInvalid);
}

}  // namespace
}  // namespace datasync::kube
