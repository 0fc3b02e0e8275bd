// Certificates and passwords: each wrong one has its name, and recovers when the secret is fixed, with no restart.

#include <set>
#include <utility>

#include "tests/cluster/fixture.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

/// A kubelet brings a changed secret into a pod within its sync period: 5 s in our clusters, a minute by default.
constexpr seconds kShown{120}, kRecovered{150};

/// What any DataSync may report while a server that it shares with the scenario's is away, and no agent is begun again.
std::set<std::string> also(std::set<std::string> reasons = {}) {
  reasons.insert({"Starting", "AgentUnreachable"});
  return reasons;
}

class Secrets : public ClusterTest {
 protected:
  /// Waits for the end of what an earlier test rolled out: an agent whose predecessor was slow to go may have been
  /// superseded by it, ends, and is begun again.
  void SetUp() override {
    auto since = std::chrono::steady_clock::now();
    const auto quiet = [&] {
      std::map<std::string, std::map<std::string, int>> now;
      bool all_ready = true;
      for (const auto& side : environment().sides()) {
        now[side.name] = agents(side);
        for (const auto& pod : side.kubectl.get({"-n", kNamespace, "pods"}).at("items"))
          all_ready = all_ready && is_ready(pod) && !pod["metadata"].contains("deletionTimestamp");
      }
      if (!all_ready || std::exchange(before_, now) != now) since = std::chrono::steady_clock::now();
      return std::chrono::steady_clock::now() - since >= seconds(3);
    };
    ASSERT_TRUE(in_time(quiet, seconds(90))) << "agents of an earlier test are still being replaced";
  }
  void TearDown() override {
    for (const auto& side : environment().sides()) {
      if (!before_.contains(side.name)) continue;
      EXPECT_EQ(agents(side), before_[side.name]) << "a pod was replaced or restarted in cluster " << side.name;
    }
    ClusterTest::TearDown();
  }

  /// Every agent's pod with the count of its restarts.
  static std::map<std::string, int> agents(const Side& side) {
    std::map<std::string, int> out;
    const auto pods = side.kubectl.get({"-n", kNamespace, "pods"});
    for (const auto& pod : pods.at("items")) {
      if (pod["metadata"].contains("deletionTimestamp")) continue;  // of an earlier test, on its way
      out[uid_of(pod)] = restarts_of(pod);
    }
    EXPECT_FALSE(out.empty());
    return out;
  }
  static void set_right(const Side& side, const std::string& name) {
    side.kubectl.apply(secrets(environment().servers()).at(name));
  }

  std::map<std::string, std::map<std::string, int>> before_;
};

TEST_F(Secrets, WrongAuthorityForKafka) {
  Scenario scenario(harness(), "wrong authority for Kafka fixed");
  b().kubectl.apply(
      secret("kafka-ca", {{"ca.crt", read_file(environment().servers().shop_authority().certificate())}}));
  scenario.shows(b(), "bank", "CertificateRejected", kShown, [] { environment().servers().kafka().restart(); });
  scenario.fixed();
  set_right(b(), "kafka-ca");
  scenario.recovers_within(kRecovered);
  EXPECT_EQ(scenario.differs_from(
                {{"b/bank", {.always = {"CertificateRejected"}}}, {"b/shop", {.sometimes = {"CertificateRejected"}}}},
                also({"BrokerUnreachable"})),
            "");
}

TEST_F(Secrets, WrongAuthorityForTheDestination) {
  Scenario scenario(harness(), "wrong authority for the destination fixed");
  b().kubectl.apply(secret("dr-ca", {{"ca.crt", read_file(environment().servers().shop_authority().certificate())}}));
  scenario.shows(b(), "shop", "CertificateRejected", kShown, [] { environment().servers().recovery().restart(); });
  scenario.fixed();
  set_right(b(), "dr-ca");
  scenario.recovers_within(kRecovered);
  EXPECT_EQ(
      scenario.differs_from({{"b/shop", {.always = {"CertificateRejected"}, .sometimes = {"DestinationUnreachable"}}},
                             {"b/bank", {.sometimes = {"CertificateRejected", "DestinationUnreachable"}}}},
                            also()),
      "");
}

/// VerifyCa asks no name of the certificate, but an authority it does ask.
TEST_F(Secrets, WrongAuthorityWhereNoNameIsChecked) {
  Scenario scenario(harness(), "wrong authority with tls.mode VerifyCa fixed");
  b().kubectl.apply(
      secret("other-ca", {{"ca.crt", read_file(environment().servers().shop_authority().certificate())}}));
  patch(b(), "shop", R"({"spec":{"destination":{"tls":{"mode":"VerifyCa","caSecretName":"other-ca"}}}})");
  scenario.shows(b(), "shop", "CertificateRejected", kShown);
  scenario.fixed();
  patch(b(), "shop", R"({"spec":{"destination":{"tls":{"caSecretName":"dr-ca"}}}})");
  scenario.recovers_within(kRecovered);
  EXPECT_EQ(scenario.differs_from({{"b/shop", replaced({.always = {"CertificateRejected"}})}}), "");
  patch(b(), "shop", R"({"spec":{"destination":{"tls":{"mode":"VerifyIdentity"}}}})");
  environment().wait_until_healthy(kRecovered);
  b().kubectl.run({"-n", kNamespace, "rollout", "status", "deployment/shop-apply", "--timeout=90s"});
  before_ = {};  // here the pods were replaced, as the specification changed
}

TEST_F(Secrets, ExpiredCertificateOfKafka) {
  Scenario scenario(harness(), "expired certificate of Kafka replaced");
  auto& servers = environment().servers();
  const auto issue = [&](Validity validity) {
    return servers.kafka_authority().issue("renewed", {"DNS:kafka.kafka"}, {.validity = validity, .subject = {}});
  };
  servers.kafka().replace_certificate(issue(Validity::Expired));
  servers.kafka().restart();
  scenario.shows(a(), "shop", "CertificateRejected", kShown);
  scenario.shows(b(), "bank", "CertificateRejected", kShown);
  scenario.fixed();
  servers.kafka().replace_certificate(issue(Validity::Valid));
  scenario.recovers_within(kRecovered);
  EXPECT_EQ(scenario.differs_from(
                {{"a/shop", {.always = {"CertificateRejected"}}}, {"b/bank", {.always = {"CertificateRejected"}}}},
                also({"CertificateRejected", "BrokerUnreachable"})),
            "");
}

TEST_F(Secrets, ExpiredCertificateOfTheSource) {
  Scenario scenario(harness(), "expired certificate of the source replaced");
  auto& servers = environment().servers();
  const auto show = [&](Validity validity) {
    for (auto& replica : servers.replicas()) {
      const auto host = replica->name() + ".shop";
      replica->replace_tls(
          {servers.shop_authority().issue("renewed-" + host, {"DNS:" + host}, {.validity = validity, .subject = {}}),
           servers.shop_authority().certificate()});
    }
  };
  show(Validity::Expired);
  for (auto& replica : servers.replicas()) replica->execute("KILL USER " + Servers::reader().user);
  for (const char* resource : {"shop", "backoffice"}) scenario.shows(a(), resource, "CertificateRejected", kShown);
  scenario.fixed();
  show(Validity::Valid);
  scenario.recovers_within(kRecovered);
  const ExpectedEvents rejected{.always = {"CertificateRejected"},
                                .sometimes = {"SourceRestarted", "SourceUnreachable"}};
  EXPECT_EQ(scenario.differs_from({{"a/shop", rejected}, {"a/backoffice", rejected}}, also()), "");
}

TEST_F(Secrets, WrongPasswordForTheDestination) {
  Scenario scenario(harness(), "wrong password for the destination fixed");
  b().kubectl.apply(secret("dr-writer", {{"username", "writer"}, {"password", "not this one"}}));
  scenario.shows(b(), "bank", "CredentialsRejected", kShown, [] { environment().servers().recovery().restart(); });
  scenario.fixed();
  set_right(b(), "dr-writer");
  scenario.recovers_within(kRecovered);
  EXPECT_EQ(
      scenario.differs_from({{"b/bank", {.always = {"CredentialsRejected"}, .sometimes = {"DestinationUnreachable"}}},
                             {"b/shop", {.sometimes = {"CredentialsRejected", "DestinationUnreachable"}}}},
                            also()),
      "");
}

TEST_F(Secrets, PasswordOfKafkaRotated) {
  Scenario scenario(harness(), "password of Kafka rotated");
  auto& servers = environment().servers();
  servers.rotate_kafka_password("another");
  servers.kafka().restart();
  scenario.shows(a(), "shop", "CredentialsRejected", kShown);
  scenario.fixed();
  for (const auto& side : environment().sides()) set_right(side, "kafka-user");
  scenario.recovers_within(kRecovered);
  EXPECT_EQ(scenario.differs_from({{"a/shop", {.always = {"CredentialsRejected"}}}},
                                  also({"CredentialsRejected", "BrokerUnreachable"})),
            "");
}

}  // namespace
}  // namespace datasync::test
