#include "operator/kube/credentials.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace datasync::kube {
namespace {

using std::chrono::seconds;

std::chrono::sys_seconds at(std::int64_t unix_seconds) {
  return std::chrono::sys_seconds(seconds(unix_seconds));
}

TEST(ParseTime, ReadsZonesAndFractions) {
  EXPECT_EQ(parse_time("1970-01-02T00:00:00Z"), at(86400));
  EXPECT_EQ(parse_time("1970-01-02T02:00:00.123456+02:00"), at(86400));
  EXPECT_EQ(parse_time("1970-01-01T23:30:00-00:30"), at(86400));
  EXPECT_EQ(parse_time("9999-12-31T23:59:59Z"), at(253'402'300'799)) << "as plugins write \"never\"";
  EXPECT_FALSE(parse_time("1970-01-02T00:00:00"));
  EXPECT_FALSE(parse_time("1970-13-02T00:00:00Z"));
  EXPECT_FALSE(parse_time("soon"));
}

TEST(ExecCredential, IsReadOrRefusedWithoutItsText) {
  const auto good = parse_exec_credential(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
    "status":{"token":"t","expirationTimestamp":"1970-01-02T00:00:00Z"}})");
  ASSERT_TRUE(good) << good.error().what;
  EXPECT_EQ(good->token.reveal(), "t");
  EXPECT_EQ(good->expires, at(86400));
  for (const auto* text : {"", "tok-abc", R"({"kind":"Other","status":{"token":"tok-abc"}})",
                           R"({"kind":"ExecCredential"})", R"({"kind":"ExecCredential","status":{}})",
                           R"({"kind":"ExecCredential","status":{"token":"tok-abc","clientKeyData":"k"}})",
                           R"({"kind":"ExecCredential","status":{"token":"tok-abc","expirationTimestamp":"never"}})"}) {
    const auto bad = parse_exec_credential(text);
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.error().what.find("tok-abc"), std::string::npos) << bad.error().what;
  }
}

struct PluginFixture {
  base::WallTime now = at(1000);
  int runs = 0;
  std::optional<std::chrono::sys_seconds> expires;
  Credentials credentials{[] {
                            Access access;
                            access.exec = ExecPlugin{"v1", "p", {}, {}, "", false, false};
                            return access;
                          }(),
                          [this](const ExecPlugin&, const std::string&) -> base::Result<ExecCredential> {
                            ++runs;
                            return ExecCredential{base::Secret("token-" + std::to_string(runs)), {}, {}, expires};
                          },
                          [this] { return now; }};
};

TEST(Credentials, RunAPluginAgainShortlyBeforeItsCredentialExpires) {
  PluginFixture w;
  w.expires = at(2000);
  EXPECT_EQ(w.credentials.token()->reveal(), "token-1");
  w.now = at(1979);
  EXPECT_EQ(w.credentials.token()->reveal(), "token-1");
  w.now = at(1981);
  EXPECT_EQ(w.credentials.token()->reveal(), "token-2");
}

TEST(Credentials, a_credential_that_never_expires_is_kept) {
  PluginFixture w;
  w.expires = parse_time("9999-12-31T23:59:59Z");
  EXPECT_EQ(w.credentials.token()->reveal(), "token-1");
  EXPECT_EQ(w.credentials.token()->reveal(), "token-1");
}

TEST(Credentials, RunAPluginAgainAfterARefusal) {
  PluginFixture w;
  EXPECT_FALSE(w.credentials.refused()) << "it never gave anything";
  EXPECT_EQ(w.credentials.token()->reveal(), "token-1");
  EXPECT_TRUE(w.credentials.refused());
  EXPECT_EQ(w.credentials.token()->reveal(), "token-2");
}

TEST(RunPlugin, ReportsHowItFailed) {
  const auto run = [](std::string command, std::vector<std::string> args) {
    return run_plugin({"v1", std::move(command), std::move(args), {}, "get it there", false, false}, "{}",
                      base::Millis(10'000));
  };
  const auto missing = run("/no/such/program", {});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("get it there"), std::string::npos);
  const auto failing = run("false", {});
  ASSERT_FALSE(failing);
  EXPECT_NE(failing.error().what.find("status 1"), std::string::npos) << failing.error().what;
  const auto babbling = run("yes", {});
  ASSERT_FALSE(babbling);
  EXPECT_NE(babbling.error().what.find("too much"), std::string::npos) << babbling.error().what;
}

TEST(RunPlugin, GivesItTheInfoAndItsEnvironment) {
  const auto got = run_plugin(
      {"v1",
       "sh",
       {"-c",
        R"sh(printf '{"kind":"ExecCredential","status":{"token":"%s %s"}}' "$A" "$(echo "$KUBERNETES_EXEC_INFO" | tr -d '"')")sh"},
       {{"A", "b"}},
       "",
       false,
       false},
      "{info}", base::Millis(10'000));
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->token.reveal(), "b {info}");
}

}  // namespace
}  // namespace datasync::kube
