#pragma once
// Servers with TLS and passwords, for the tests of what is refused.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {

constexpr const char* kUser = "datasync";
constexpr const char* kApply = "datasync-apply";  ///< another Kafka user
constexpr const char* kScram = "scram-secret";
constexpr const char* kPlain = "plain-secret";
constexpr seconds kRecoversWithin{40};  ///< of the fix; the back-off between two tries is at most 10 s

/// SCRAM at a Kafka 4 broker needs librdkafka 2.6.1 (Debian 13; edenhill/kcat#462): with an older one the tests take
/// PLAIN unless DATASYNC_TEST_SASL=SCRAM-SHA-512 says that the agents under test have a newer one.
inline bool scram() {
  const char* asked = std::getenv("DATASYNC_TEST_SASL");
  return asked != nullptr && std::string_view(asked) == "SCRAM-SHA-512";
}
inline const char* kafka_password() {
  return scram() ? kScram : kPlain;
}

inline const std::vector<std::string> kNames{"DNS:localhost", "IP:127.0.0.1"};

inline std::string text_of(const CertificateAuthority& ca) {
  return read_file(ca.certificate());
}

/// Servers with TLS and an authority each; every test has a database, a topic and secrets of its own.
class Security : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = new TempDir;
    kafka_ca_ = new CertificateAuthority(files_->path() / "kafka", "kafka authority");
    source_ca_ = new CertificateAuthority(files_->path() / "source", "source authority");
    destination_ca_ = new CertificateAuthority(files_->path() / "destination", "destination authority");
    other_ca_ = new CertificateAuthority(files_->path() / "other", "other authority");
    FixtureOptions options;
    options.kafka.security = KafkaSecurity{.certificate = kafka_ca_->issue("good", kNames),
                                           .client_ca = kafka_ca_->certificate(),
                                           .client_certificates = false,
                                           .scram_users = {{kUser, kScram}, {kApply, kScram}},
                                           .plain_users = {{kUser, kPlain}, {kApply, kPlain}}};
    options.kafka.properties = kafka_authorizer();
    options.source_tls = MariaDbTls{source_ca_->issue("good", kNames), source_ca_->certificate()};
    options.destination_tls = MariaDbTls{destination_ca_->issue("good", kNames), destination_ca_->certificate()};
    fixture_ = new Fixture(options);
  }
  static void TearDownTestSuite() {
    delete fixture_;
    for (auto* ca : {kafka_ca_, source_ca_, destination_ca_, other_ca_}) delete ca;
    delete files_;
  }
  void TearDown() override { fixture_->end_agents(); }

  /// A table without a key at the destination: a row that came twice is there twice.
  void prepare(const std::string& name) {
    name_ = name;
    fixture_->source().execute_all(
        {"CREATE DATABASE " + name, fmt::format("CREATE TABLE {}.t (id INT PRIMARY KEY)", name)});
    fixture_->destination().execute_all({"CREATE DATABASE " + name, fmt::format("CREATE TABLE {}.t (id INT)", name)});
    insert();
    mount("kafka-ca", {{"ca.crt", text_of(*kafka_ca_)}});
    mount("kafka-user", {{"username", kUser}, {"password", kafka_password()}});
    mount("source-ca", {{"ca.crt", text_of(*source_ca_)}});
    mount("source-user", {{"username", Fixture::kReader}, {"password", Fixture::kPassword}});
    mount("destination-ca", {{"ca.crt", text_of(*destination_ca_)}});
    mount("destination-user", {{"username", Fixture::kWriter}, {"password", Fixture::kPassword}});
  }
  /// Secrets are this test's alone, though all lie in one folder.
  void mount(const std::string& secret, const std::map<std::string, std::string>& values) const {
    mount_secret(fixture_->secrets(), name_ + "-" + secret, values);
  }
  [[nodiscard]] config::SecretRef ref(const std::string& secret, const std::string& key) const {
    return {name_ + "-" + secret, key};
  }
  void secure(config::Channel& channel) const {
    channel.tls = true;
    channel.tls_ca = ref("kafka-ca", "ca.crt");
    channel.sasl_mechanism = scram() ? "SCRAM-SHA-512" : "PLAIN";
    channel.sasl_username = ref("kafka-user", "username");
    channel.sasl_password = ref("kafka-user", "password");
  }
  [[nodiscard]] config::Capture capture() const {
    auto config = fixture_->capture_config({{.name = "t", .tables = {name_ + ".t"}}}, name_);
    secure(config.common.channel);
    config.tls = {config::TlsMode::VerifyIdentity, ref("source-ca", "ca.crt")};
    config.credentials = {ref("source-user", "username"), ref("source-user", "password")};
    return config;
  }
  [[nodiscard]] config::Apply apply() const {
    auto config = fixture_->apply_config(name_, name_);
    secure(config.common.channel);
    config.tls = {config::TlsMode::VerifyIdentity, ref("destination-ca", "ca.crt")};
    config.credentials = {ref("destination-user", "username"), ref("destination-user", "password")};
    config.ledger_database = name_ + "_ledger";
    return config;
  }
  void insert(int rows = 100) {
    for (int i = 0; i < rows; ++i)
      fixture_->source().execute(fmt::format("INSERT INTO {}.t VALUES ({})", name_, ++rows_));
  }
  void start_both() {
    fixture_->start_capture(capture());
    fixture_->start_apply(apply());
  }
  testing::AssertionResult equal() {
    auto same = fixture_->eventually_equal({{name_ + ".t", ""}}, kRecoversWithin);
    if (!same) return same;
    const auto status = fixture_->apply().status();
    if (!status || status->number("/duplicatesRefused") != 0)
      return testing::AssertionFailure() << "a transaction came twice\n" << fixture_->diagnostics();
    return fixture_->becomes(fixture_->capture(), "Streaming", "", kRecoversWithin);
  }
  /// The agent reports this reason; its message holds these words and no password.
  void expect_reported(Agent& agent, const std::string& reason, const std::vector<std::string>& words) {
    AgentStatus status;
    const auto says = [&](const std::string& word) { return status.message.find(word) != std::string::npos; };
    const bool reported = eventually(
        [&] {
          status = agent.status().value_or(AgentStatus{});
          return status.state == "Retrying" && status.reason == reason && std::ranges::all_of(words, says);
        },
        kRecoversWithin);
    ASSERT_TRUE(reported) << agent.name() << " does not report " << reason << " with " << testing::PrintToString(words)
                          << "\n"
                          << fixture_->diagnostics();
    for (const char* secret : {kScram, kPlain, Fixture::kPassword}) {
      EXPECT_THAT(status.json, testing::Not(testing::HasSubstr(secret)));
      EXPECT_THAT(read_file(agent.folder() / "log"), testing::Not(testing::HasSubstr(secret)));
    }
  }
  [[nodiscard]] static std::string kafka_at() { return fixture_->broker().bootstrap(); }
  [[nodiscard]] static std::string at(const MariaDbServer& server) {
    return fmt::format("127.0.0.1:{}", server.port());
  }

  static inline TempDir* files_ = nullptr;
  static inline CertificateAuthority *kafka_ca_ = nullptr, *source_ca_ = nullptr, *destination_ca_ = nullptr,
                                     *other_ca_ = nullptr;
  static inline Fixture* fixture_ = nullptr;
  std::string name_;
  int rows_ = 0;
};

}  // namespace datasync::test
