// TLS and passwords on every connection: what is refused has a name in the status, and heals when the secret or the
// server is mended, with no restart by hand.

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/rig.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

constexpr const char* kUser = "datasync";
constexpr const char* kApply = "datasync-apply";  ///< another Kafka user
constexpr const char* kScram = "scram-secret";
constexpr const char* kPlain = "plain-secret";
constexpr seconds kHealsWithin{40};  ///< of the mend; the back-off between two tries is at most 10 s

/// SCRAM at a Kafka 4 broker needs librdkafka 2.6.1 (Debian 13; edenhill/kcat#462): with an older one the tests take
/// PLAIN unless DATASYNC_TEST_SASL=SCRAM-SHA-512 says that the agents under test have a newer one.
bool scram() {
  const char* asked = std::getenv("DATASYNC_TEST_SASL");
  return asked != nullptr && std::string_view(asked) == "SCRAM-SHA-512";
}
const char* kafka_password() {
  return scram() ? kScram : kPlain;
}

const std::vector<std::string> kNames{"DNS:localhost", "IP:127.0.0.1"};

std::string text_of(const CertificateAuthority& ca) {
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
    RigOptions options;
    options.kafka.security = KafkaSecurity{.certificate = kafka_ca_->issue("good", kNames),
                                           .client_ca = kafka_ca_->certificate(),
                                           .client_certificates = false,
                                           .scram_users = {{kUser, kScram}, {kApply, kScram}},
                                           .plain_users = {{kUser, kPlain}, {kApply, kPlain}}};
    options.kafka.properties = kafka_authorizer();
    options.source_tls = MariaDbTls{source_ca_->issue("good", kNames), source_ca_->certificate()};
    options.destination_tls = MariaDbTls{destination_ca_->issue("good", kNames), destination_ca_->certificate()};
    rig_ = new Rig(options);
  }
  static void TearDownTestSuite() {
    delete rig_;
    for (auto* ca : {kafka_ca_, source_ca_, destination_ca_, other_ca_}) delete ca;
    delete files_;
  }
  void TearDown() override { rig_->end_agents(); }

  /// A table without a key at the destination: a row that came twice is there twice.
  void prepare(const std::string& name) {
    name_ = name;
    rig_->source().execute_all(
        {"CREATE DATABASE " + name, fmt::format("CREATE TABLE {}.t (id INT PRIMARY KEY)", name)});
    rig_->destination().execute_all({"CREATE DATABASE " + name, fmt::format("CREATE TABLE {}.t (id INT)", name)});
    insert();
    mount("kafka-ca", {{"ca.crt", text_of(*kafka_ca_)}});
    mount("kafka-user", {{"username", kUser}, {"password", kafka_password()}});
    mount("source-ca", {{"ca.crt", text_of(*source_ca_)}});
    mount("source-user", {{"username", Rig::kReader}, {"password", Rig::kPassword}});
    mount("destination-ca", {{"ca.crt", text_of(*destination_ca_)}});
    mount("destination-user", {{"username", Rig::kWriter}, {"password", Rig::kPassword}});
  }
  /// Secrets are this test's alone, though all lie in one folder.
  void mount(const std::string& secret, const std::map<std::string, std::string>& values) const {
    mount_secret(rig_->secrets(), name_ + "-" + secret, values);
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
    auto config = rig_->capture_config({{.name = "t", .tables = {name_ + ".t"}}}, name_);
    secure(config.common.channel);
    config.tls = {config::TlsMode::VerifyIdentity, ref("source-ca", "ca.crt")};
    config.credentials = {ref("source-user", "username"), ref("source-user", "password")};
    return config;
  }
  [[nodiscard]] config::Apply apply() const {
    auto config = rig_->apply_config(name_, name_);
    secure(config.common.channel);
    config.tls = {config::TlsMode::VerifyIdentity, ref("destination-ca", "ca.crt")};
    config.credentials = {ref("destination-user", "username"), ref("destination-user", "password")};
    config.ledger_database = name_ + "_ledger";
    return config;
  }
  void insert(int rows = 100) {
    for (int i = 0; i < rows; ++i) rig_->source().execute(fmt::format("INSERT INTO {}.t VALUES ({})", name_, ++rows_));
  }
  void start_both() {
    rig_->start_capture(capture());
    rig_->start_apply(apply());
  }
  testing::AssertionResult equal() {
    auto same = rig_->eventually_equal({{name_ + ".t", ""}}, kHealsWithin);
    if (!same) return same;
    const auto status = rig_->apply().status();
    if (!status || status->number("/duplicatesRefused") != 0)
      return testing::AssertionFailure() << "a transaction came twice\n" << rig_->story();
    return rig_->becomes(rig_->capture(), "Streaming", "", kHealsWithin);
  }
  /// The agent tells this reason; its message holds these words and no password.
  void expect_told(Agent& agent, const std::string& reason, const std::vector<std::string>& words) {
    AgentStatus status;
    const auto says = [&](const std::string& word) { return status.message.find(word) != std::string::npos; };
    const bool told = eventually(
        [&] {
          status = agent.status().value_or(AgentStatus{});
          return status.state == "Retrying" && status.reason == reason && std::ranges::all_of(words, says);
        },
        kHealsWithin);
    ASSERT_TRUE(told) << agent.name() << " does not tell " << reason << " with " << testing::PrintToString(words)
                      << "\n"
                      << rig_->story();
    for (const char* secret : {kScram, kPlain, Rig::kPassword}) {
      EXPECT_THAT(status.json, testing::Not(testing::HasSubstr(secret)));
      EXPECT_THAT(read_file(agent.folder() / "log"), testing::Not(testing::HasSubstr(secret)));
    }
  }
  [[nodiscard]] static std::string kafka_at() { return rig_->broker().bootstrap(); }
  [[nodiscard]] static std::string at(const MariaDbServer& server) {
    return fmt::format("127.0.0.1:{}", server.port());
  }

  static TempDir* files_;
  static CertificateAuthority *kafka_ca_, *source_ca_, *destination_ca_, *other_ca_;
  static Rig* rig_;
  std::string name_;
  int rows_ = 0;
};
TempDir* Security::files_ = nullptr;
CertificateAuthority* Security::kafka_ca_ = nullptr;
CertificateAuthority* Security::source_ca_ = nullptr;
CertificateAuthority* Security::destination_ca_ = nullptr;
CertificateAuthority* Security::other_ca_ = nullptr;
Rig* Security::rig_ = nullptr;

TEST_F(Security, DataFlowsOverTlsWithAPassword) {
  prepare("flows");
  start_both();
  ASSERT_TRUE(equal());
  // PLAIN in any case, and the authority alone checked at the databases.
  rig_->end_agents();
  mount("kafka-user", {{"username", kUser}, {"password", kPlain}});
  auto reading = capture();
  auto writing = apply();
  reading.common.channel.sasl_mechanism = writing.common.channel.sasl_mechanism = "PLAIN";
  reading.tls.mode = writing.tls.mode = config::TlsMode::VerifyCa;
  insert();
  rig_->start_capture(reading);
  rig_->start_apply(writing);
  EXPECT_TRUE(equal());
}

TEST_F(Security, AMissingClientCertificateIsNamedAndAGivenOneLetsDataFlow) {
  prepare("mutual");
  KafkaOptions options;
  options.security = KafkaSecurity{.certificate = kafka_ca_->issue("mutual", kNames),
                                   .client_ca = kafka_ca_->certificate(),
                                   .client_certificates = true,
                                   .scram_users = {},
                                   .plain_users = {}};
  KafkaBroker broker(files_->path(), options);
  auto reading = capture();
  auto writing = apply();
  for (auto* channel : {&reading.common.channel, &writing.common.channel}) {
    channel->bootstrap_servers = broker.bootstrap();
    channel->sasl_mechanism.clear();
    channel->sasl_username = channel->sasl_password = {};
  }
  auto& nobody = rig_->start_capture(reading);
  expect_told(nobody, "CertificateRejected", {broker.bootstrap(), "asks for one"});
  rig_->end_agents();

  const auto pair = [](const Certificate& c) {
    return std::map<std::string, std::string>{{"tls.crt", read_file(c.certificate)}, {"tls.key", read_file(c.key)}};
  };
  mount("client", pair(other_ca_->issue("stranger")));
  for (auto* channel : {&reading.common.channel, &writing.common.channel}) {
    channel->tls_certificate = ref("client", "tls.crt");
    channel->tls_key = ref("client", "tls.key");
  }
  auto& stranger = rig_->start_capture(reading);
  rig_->start_apply(writing);
  expect_told(stranger, "CertificateRejected", {broker.bootstrap(), "client certificate"});
  mount("client", {{"tls.crt", "no certificate"}, {"tls.key", "no key"}});
  expect_told(stranger, "CertificateRejected", {broker.bootstrap(), "cannot be read"});
  mount("client", pair(kafka_ca_->issue("client")));
  EXPECT_TRUE(equal());
  rig_->end_agents();  // before the broker
}

TEST_F(Security, AWrongAuthorityForKafkaIsNamedAndHealsWithTheSecret) {
  prepare("kafkaca");
  mount("kafka-ca", {{"ca.crt", text_of(*other_ca_)}});
  start_both();
  expect_told(rig_->capture(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  expect_told(rig_->apply(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  mount("kafka-ca", {{"ca.crt", text_of(*kafka_ca_)}});
  EXPECT_TRUE(equal());
}

TEST_F(Security, AWrongPasswordForKafkaIsNamedAndHealsWithTheSecret) {
  prepare("kafkapassword");
  mount("kafka-user", {{"username", kUser}, {"password", "wrong"}});
  start_both();
  expect_told(rig_->capture(), "CredentialsRejected", {kafka_at(), "mend the secret"});
  expect_told(rig_->apply(), "CredentialsRejected", {kafka_at(), "mend the secret"});
  mount("kafka-user", {{"username", kUser}, {"password", kafka_password()}});
  EXPECT_TRUE(equal());
}

/// Nobody says more: the broker just closes the connection.
TEST_F(Security, PlainTextToASecurePortIsABrokerThatDoesNotAnswer) {
  prepare("plaintext");
  auto config = capture();
  config.common.channel.tls = false;
  config.common.channel.tls_ca = {};
  expect_told(rig_->start_capture(config), "BrokerUnreachable", {"no broker answered"});
}

TEST_F(Security, ABrokersCertificateThatIsExpiredOrForAnotherNameIsNamedAndHealsWithANewOne) {
  prepare("kafkacertificate");
  start_both();
  ASSERT_TRUE(equal());
  const auto show = [&](const Certificate& certificate) {
    rig_->broker().replace_certificate(certificate);
    rig_->broker().restart();
  };
  show(kafka_ca_->issue("old", kNames, {.validity = Validity::Expired, .subject = ""}));
  insert();
  expect_told(rig_->capture(), "CertificateRejected", {kafka_at(), "has expired"});
  expect_told(rig_->apply(), "CertificateRejected", {kafka_at(), "has expired"});
  show(kafka_ca_->issue("elsewhere", {"DNS:elsewhere.example"}));
  expect_told(rig_->capture(), "CertificateRejected", {kafka_at(), "for another name"});
  expect_told(rig_->apply(), "CertificateRejected", {kafka_at(), "for another name"});
  show(kafka_ca_->issue("good", kNames));
  EXPECT_TRUE(equal());
}

/// Source and destination have the same troubles.
struct Side {
  const char* name;
  bool source;
};
class SecureDatabase : public Security, public testing::WithParamInterface<Side> {
 protected:
  [[nodiscard]] static MariaDbServer& server() { return GetParam().source ? rig_->source() : rig_->destination(); }
  [[nodiscard]] static Agent& agent() { return GetParam().source ? rig_->capture() : rig_->apply(); }
  [[nodiscard]] static const CertificateAuthority& ca() { return GetParam().source ? *source_ca_ : *destination_ca_; }
  [[nodiscard]] static std::string secret(const std::string& of) { return fmt::format("{}-{}", GetParam().name, of); }
  void mount_user(const std::string& password) const {
    mount(secret("user"), {{"username", user()}, {"password", password}});
  }
  [[nodiscard]] static std::string user() { return GetParam().source ? Rig::kReader : Rig::kWriter; }
  static void show(const Certificate& certificate, const CertificateAuthority& by) {
    server().replace_tls({certificate, by.certificate()});
    server().restart();  // cuts the connections
  }
};

TEST_P(SecureDatabase, AWrongAuthorityIsNamedAndHealsWithTheSecret) {
  prepare(fmt::format("{}ca", GetParam().name));
  mount(secret("ca"), {{"ca.crt", text_of(*other_ca_)}});
  start_both();
  expect_told(agent(), "CertificateRejected", {at(server()), "authority of the CA file"});
  mount(secret("ca"), {{"ca.crt", "no certificate"}});
  EXPECT_TRUE(
      eventually([&] { return agent().status()->message.find("cannot be read") != std::string::npos; }, kHealsWithin))
      << rig_->story();
  mount(secret("ca"), {{"ca.crt", text_of(ca())}});
  EXPECT_TRUE(equal());
}

TEST_P(SecureDatabase, AnAuthorityIsCheckedAlsoWhereTheNameIsNot) {
  prepare(fmt::format("{}verifyca", GetParam().name));
  mount(secret("ca"), {{"ca.crt", text_of(*other_ca_)}});
  auto reading = capture();
  auto writing = apply();
  reading.tls.mode = writing.tls.mode = config::TlsMode::VerifyCa;
  rig_->start_capture(reading);
  rig_->start_apply(writing);
  expect_told(agent(), "CertificateRejected", {at(server())});
}

TEST_P(SecureDatabase, AnExpiredCertificateOrOneForAnotherNameIsNamedAndHealsWithANewOne) {
  prepare(fmt::format("{}certificate", GetParam().name));
  start_both();
  ASSERT_TRUE(equal());
  show(ca().issue("old", kNames, {.validity = Validity::Expired, .subject = ""}), ca());
  insert();
  expect_told(agent(), "CertificateRejected", {at(server()), "has expired"});
  show(ca().issue("elsewhere", {"DNS:elsewhere.example"}), ca());
  EXPECT_TRUE(
      eventually([&] { return agent().status()->message.find("for another name") != std::string::npos; }, kHealsWithin))
      << rig_->story();
  show(ca().issue("good", kNames), ca());
  EXPECT_TRUE(equal());
}

TEST_P(SecureDatabase, ARotatedPasswordAndAuthorityHealOnceTheSecretsFollow) {
  prepare(fmt::format("{}rotation", GetParam().name));
  start_both();
  ASSERT_TRUE(equal());
  server().execute(fmt::format("ALTER USER {}@'127.0.0.1' IDENTIFIED BY 'rotated'", quote(user())));
  insert();
  // Apply keeps a connection that stands. Capture opens another one now and then, and stops reading when that is
  // refused.
  if (std::string(GetParam().name) == "destination") {
    EXPECT_TRUE(equal());
  }
  server().restart();
  insert();
  expect_told(agent(), "CredentialsRejected", {at(server())});
  mount_user("rotated");
  ASSERT_TRUE(equal());

  show(other_ca_->issue("rotated", kNames), *other_ca_);
  insert();
  expect_told(agent(), "CertificateRejected", {at(server()), "authority of the CA file"});
  mount(secret("ca"), {{"ca.crt", text_of(*other_ca_)}});
  EXPECT_TRUE(equal());

  server().execute(fmt::format("ALTER USER {}@'127.0.0.1' IDENTIFIED BY {}", quote(user()), quote(Rig::kPassword)));
  show(ca().issue("good", kNames), ca());
}

INSTANTIATE_TEST_SUITE_P(Sides, SecureDatabase, testing::Values(Side{"source", true}, Side{"destination", false}),
                         [](const auto& side) { return std::string(side.param.name); });

TEST_F(Security, ARotatedPasswordAndAuthorityOfTheBrokerHealOnceTheSecretsFollow) {
  prepare("kafkarotation");
  start_both();
  ASSERT_TRUE(equal());
  if (scram()) {  // a broker's PLAIN users are part of its configuration
    rig_->broker().set_scram_user(kUser, "rotated");
    insert();
    EXPECT_TRUE(equal());  // connections that stand are kept
    rig_->broker().restart();
    insert();
    expect_told(rig_->capture(), "CredentialsRejected", {kafka_at()});
    expect_told(rig_->apply(), "CredentialsRejected", {kafka_at()});
    mount("kafka-user", {{"username", kUser}, {"password", "rotated"}});
    ASSERT_TRUE(equal());
  }
  rig_->broker().replace_certificate(other_ca_->issue("broker", kNames));
  insert();
  rig_->broker().kill();  // with records on their way
  rig_->broker().start();
  expect_told(rig_->capture(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  expect_told(rig_->apply(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  mount("kafka-ca", {{"ca.crt", text_of(*other_ca_)}});
  EXPECT_TRUE(equal());

  if (scram()) rig_->broker().set_scram_user(kUser, kScram);
  rig_->broker().replace_certificate(kafka_ca_->issue("good", kNames));
}

// In a cluster with destinations only, the Kafka user may be allowed to read alone.
TEST_F(Security, AnApplyThatMayNotAskForACopyNamesTheAnnotationForTheSource) {
  prepare("asker");
  mount("kafka-apply", {{"username", kApply}, {"password", kafka_password()}});
  auto reading = capture();
  auto writing = apply();
  writing.common.channel.sasl_username = ref("kafka-apply", "username");
  writing.common.channel.sasl_password = ref("kafka-apply", "password");
  rig_->start_capture(reading);
  rig_->start_apply(writing);
  ASSERT_TRUE(equal());
  rig_->broker().deny(kApply, "asker.state", "Write");
  rig_->destination().execute("DELETE FROM asker.t WHERE id = 1");
  rig_->apply().process().terminate();
  rig_->forget(rig_->apply());
  writing.copy_tables = "asker.t";
  rig_->start_apply(writing);
  ASSERT_TRUE(rig_->becomes(rig_->apply(), "Stalled", "CopyNeeded"));
  const auto text = rig_->apply().status().value_or(AgentStatus{}).message;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex(R"(datasync\.dev/copy-tables=(\S+))"))) << text;
  reading.copy_tables = found[1];
  rig_->capture().process().terminate();
  rig_->forget(rig_->capture());
  rig_->start_capture(reading);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(rig_->becomes(rig_->apply(), "Streaming", ""));
  rig_->broker().forget_rights("asker.state");
}

// The status said Streaming, while no checkpoint moved and no newer instance was noticed.
TEST_F(Security, ARightOnTheStateTopicAloneIsNamedWhileItIsMissing) {
  prepare("stateright");
  start_both();
  ASSERT_TRUE(equal());
  for (const auto* operation : {"Write", "Describe"}) {
    rig_->broker().deny(kUser, "stateright.state", operation);
    insert();
    expect_told(rig_->capture(), "PermissionDenied", {"stateright.state", "checkpoints"});
    EXPECT_TRUE(rig_->eventually_equal({{name_ + ".t", ""}}, kHealsWithin));  // the data goes on meanwhile
    rig_->broker().forget_rights("stateright.state");
    ASSERT_TRUE(equal());
  }
}

}  // namespace
}  // namespace datasync::test
