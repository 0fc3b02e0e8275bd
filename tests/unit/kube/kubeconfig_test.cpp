#include <string>

#include <gtest/gtest.h>

#include "operator/kube/access.hpp"

namespace datasync::kube {
namespace {

constexpr std::string_view kYaml = R"(
apiVersion: v1
kind: Config
current-context: prod
contexts:
- name: prod
  context: {cluster: far, user: carl, namespace: sync}
- name: test
  context: {cluster: near, user: token}
- name: plugin
  context: {cluster: far, user: plugin}
clusters:
- name: far
  cluster:
    server: https://api.example:6443/
    certificate-authority-data: Q0E=
- name: near
  cluster: {server: "http://127.0.0.1:8080", insecure-skip-tls-verify: true}
users:
- name: carl
  user: {client-certificate: pki/carl.crt, client-key: /abs/carl.key}
- name: token
  user: {token: 12345}
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/login
      args: [--cluster, 7]
      env: [{name: STAGE, value: prod}]
      interactiveMode: Never
      provideClusterInfo: true
      installHint: install it
)";

TEST(Kubeconfig, GivesTheCurrentContext) {
  const auto access = parse_kubeconfig(kYaml, "/etc/kube", "");
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->server, "https://api.example:6443");
  EXPECT_EQ(access->authority.data.reveal(), "CA");
  EXPECT_EQ(access->certificate.file, "/etc/kube/pki/carl.crt");
  EXPECT_EQ(access->key.file, "/abs/carl.key");
  EXPECT_EQ(access->ns, "sync");
  EXPECT_FALSE(access->skip_verify);
}

TEST(Kubeconfig, GivesTheContextThatIsNamed) {
  const auto access = parse_kubeconfig(kYaml, "/etc/kube", "test");
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->server, "http://127.0.0.1:8080");
  EXPECT_TRUE(access->skip_verify);
  EXPECT_EQ(access->token.reveal(), "12345");
  EXPECT_EQ(access->ns, "default");
}

TEST(Kubeconfig, ReadsAPlugin) {
  const auto access = parse_kubeconfig(kYaml, "/etc/kube", "plugin");
  ASSERT_TRUE(access) << access.error().what;
  ASSERT_TRUE(access->exec);
  EXPECT_EQ(access->exec->command, "/etc/kube/./bin/login");
  EXPECT_EQ(access->exec->args, (std::vector<std::string>{"--cluster", "7"}));
  EXPECT_EQ(access->exec->env.at("STAGE"), "prod");
  EXPECT_FALSE(access->exec->interactive);
  EXPECT_TRUE(access->exec->provide_cluster_info);
}

TEST(Kubeconfig, ReadsJson) {
  const auto access = parse_kubeconfig(R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k"}}],
    "clusters":[{"name":"k","cluster":{"server":"https://h"}}]})",
                                       "/", "");
  ASSERT_TRUE(access) << access.error().what;
  EXPECT_EQ(access->server, "https://h");
}

struct Refused {
  std::string name;
  std::string from, to;  ///< replaced in kYaml
  std::string message;
};

class KubeconfigRefused : public testing::TestWithParam<Refused> {};

TEST_P(KubeconfigRefused, ReportsWhy) {
  std::string text(kYaml);
  const auto at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, GetParam().from.size(), GetParam().to);
  const auto access = parse_kubeconfig(text, "/etc/kube", "");
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().reason, base::Reason::ConfigInvalid);
  EXPECT_NE(access.error().what.find(GetParam().message), std::string::npos) << access.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, KubeconfigRefused,
    testing::Values(
        Refused{"NoCurrentContext", "current-context: prod", "x: y", "no current-context"},
        Refused{"UnknownContext", "current-context: prod", "current-context: no", "no context \"no\""},
        Refused{"UnknownCluster", "cluster: far, user: carl", "cluster: gone, user: carl", "no cluster \"gone\""},
        Refused{"UnknownUser", "user: carl,", "user: gone,", "no user \"gone\""},
        Refused{"NoUrl", "server: https://api.example:6443/", "server: api.example", "is not a URL"},
        Refused{"DataThatIsNoBase64", "Q0E=", "\"no!!\"", "certificate-authority-data is not base64"},
        Refused{"CertificateWithoutKey", ", client-key: /abs/carl.key", "", "must be set together"},
        Refused{"Password", "client-certificate: pki/carl.crt", "password: x, client-certificate: a", "password"},
        Refused{"OtherServerName", "certificate-authority-data: Q0E=", "tls-server-name: x", "tls-server-name"},
        Refused{"NotYaml", "contexts:", "contexts: [", ""}),
    [](const auto& row) { return row.param.name; });

TEST(Kubeconfig, NeverShowsASecret) {
  const auto access = parse_kubeconfig(R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k",
    "user":"u"}}],"clusters":[{"name":"k","cluster":{"server":"https://h"}}],
    "users":[{"name":"u","user":{"client-key-data":"c2VjcmV0!"}}]})",
                                       "/", "");
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().what.find("c2Vj"), std::string::npos);
}

}  // namespace
}  // namespace datasync::kube
