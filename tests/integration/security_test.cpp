// TLS and passwords on every connection: what is refused has a name in the status, and recovers when the secret or the
// server is fixed, with no restart by hand.

#include <gmock/gmock.h>

#include "tests/integration/security_fixture.hpp"

namespace datasync::test {
namespace {

TEST_F(Security, DataIsReplicatedOverTlsWithAPassword) {
  prepare("flows");
  start_both();
  ASSERT_TRUE(equal());
  // PLAIN in any case, and the authority alone checked at the databases.
  fixture_->end_agents();
  mount("kafka-user", {{"username", kUser}, {"password", kPlain}});
  auto reading = capture();
  auto writing = apply();
  reading.common.channel.sasl_mechanism = writing.common.channel.sasl_mechanism = "PLAIN";
  reading.tls.mode = writing.tls.mode = config::TlsMode::VerifyCa;
  insert();
  fixture_->start_capture(reading);
  fixture_->start_apply(writing);
  EXPECT_TRUE(equal());
}

TEST_F(Security, AMissingClientCertificateIsNamedAndAGivenOneWorks) {
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
  auto& anonymous = fixture_->start_capture(reading);
  expect_reported(anonymous, "CertificateRejected", {broker.bootstrap(), "requires one"});
  fixture_->end_agents();

  const auto pair = [](const Certificate& c) {
    return std::map<std::string, std::string>{{"tls.crt", read_file(c.certificate)}, {"tls.key", read_file(c.key)}};
  };
  mount("client", pair(other_ca_->issue("stranger")));
  for (auto* channel : {&reading.common.channel, &writing.common.channel}) {
    channel->tls_certificate = ref("client", "tls.crt");
    channel->tls_key = ref("client", "tls.key");
  }
  auto& stranger = fixture_->start_capture(reading);
  fixture_->start_apply(writing);
  expect_reported(stranger, "CertificateRejected", {broker.bootstrap(), "client certificate"});
  mount("client", {{"tls.crt", "no certificate"}, {"tls.key", "no key"}});
  expect_reported(stranger, "CertificateRejected", {broker.bootstrap(), "cannot be read"});
  mount("client", pair(kafka_ca_->issue("client")));
  EXPECT_TRUE(equal());
  fixture_->end_agents();  // before the broker
}

TEST_F(Security, AWrongKafkaAuthorityIsNamedAndRecoversWithTheSecret) {
  prepare("kafkaca");
  mount("kafka-ca", {{"ca.crt", text_of(*other_ca_)}});
  start_both();
  expect_reported(fixture_->capture(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  expect_reported(fixture_->apply(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  mount("kafka-ca", {{"ca.crt", text_of(*kafka_ca_)}});
  EXPECT_TRUE(equal());
}

TEST_F(Security, AWrongKafkaPasswordIsNamedAndRecoversWithTheSecret) {
  prepare("kafkapassword");
  mount("kafka-user", {{"username", kUser}, {"password", "wrong"}});
  start_both();
  expect_reported(fixture_->capture(), "CredentialsRejected", {kafka_at(), "fix the secret"});
  expect_reported(fixture_->apply(), "CredentialsRejected", {kafka_at(), "fix the secret"});
  mount("kafka-user", {{"username", kUser}, {"password", kafka_password()}});
  EXPECT_TRUE(equal());
}

/// No other message: the broker just closes the connection.
TEST_F(Security, PlainTextToASecurePortIsABrokerThatDoesNotAnswer) {
  prepare("plaintext");
  auto config = capture();
  config.common.channel.tls = false;
  config.common.channel.tls_ca = {};
  expect_reported(fixture_->start_capture(config), "BrokerUnreachable", {"no broker answered"});
}

TEST_F(Security, AnInvalidBrokerCertificateIsNamedAndANewOneRecovers) {
  prepare("kafkacertificate");
  start_both();
  ASSERT_TRUE(equal());
  const auto show = [&](const Certificate& certificate) {
    fixture_->broker().replace_certificate(certificate);
    fixture_->broker().restart();
  };
  show(kafka_ca_->issue("old", kNames, {.validity = Validity::Expired, .subject = ""}));
  insert();
  expect_reported(fixture_->capture(), "CertificateRejected", {kafka_at(), "has expired"});
  expect_reported(fixture_->apply(), "CertificateRejected", {kafka_at(), "has expired"});
  show(kafka_ca_->issue("elsewhere", {"DNS:elsewhere.example"}));
  expect_reported(fixture_->capture(), "CertificateRejected", {kafka_at(), "for another name"});
  expect_reported(fixture_->apply(), "CertificateRejected", {kafka_at(), "for another name"});
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
  [[nodiscard]] static MariaDbServer& server() {
    return GetParam().source ? fixture_->source() : fixture_->destination();
  }
  [[nodiscard]] static Agent& agent() { return GetParam().source ? fixture_->capture() : fixture_->apply(); }
  [[nodiscard]] static const CertificateAuthority& ca() { return GetParam().source ? *source_ca_ : *destination_ca_; }
  [[nodiscard]] static std::string secret(const std::string& of) { return fmt::format("{}-{}", GetParam().name, of); }
  void mount_user(const std::string& password) const {
    mount(secret("user"), {{"username", user()}, {"password", password}});
  }
  [[nodiscard]] static std::string user() { return GetParam().source ? Fixture::kReader : Fixture::kWriter; }
  static void show(const Certificate& certificate, const CertificateAuthority& by) {
    server().replace_tls({certificate, by.certificate()});
    server().restart();  // cuts the connections
  }
};

TEST_P(SecureDatabase, AWrongAuthorityIsNamedAndRecoversWithTheSecret) {
  prepare(fmt::format("{}ca", GetParam().name));
  mount(secret("ca"), {{"ca.crt", text_of(*other_ca_)}});
  start_both();
  expect_reported(agent(), "CertificateRejected", {at(server()), "authority of the CA file"});
  mount(secret("ca"), {{"ca.crt", "no certificate"}});
  EXPECT_TRUE(eventually([&] { return agent().status()->message.find("cannot be read") != std::string::npos; },
                         kRecoversWithin))
      << fixture_->diagnostics();
  mount(secret("ca"), {{"ca.crt", text_of(ca())}});
  EXPECT_TRUE(equal());
}

TEST_P(SecureDatabase, AnAuthorityIsCheckedAlsoWhereTheNameIsNot) {
  prepare(fmt::format("{}verifyca", GetParam().name));
  mount(secret("ca"), {{"ca.crt", text_of(*other_ca_)}});
  auto reading = capture();
  auto writing = apply();
  reading.tls.mode = writing.tls.mode = config::TlsMode::VerifyCa;
  fixture_->start_capture(reading);
  fixture_->start_apply(writing);
  expect_reported(agent(), "CertificateRejected", {at(server())});
}

TEST_P(SecureDatabase, AnInvalidCertificateIsNamedAndANewOneRecovers) {
  prepare(fmt::format("{}certificate", GetParam().name));
  start_both();
  ASSERT_TRUE(equal());
  show(ca().issue("old", kNames, {.validity = Validity::Expired, .subject = ""}), ca());
  insert();
  expect_reported(agent(), "CertificateRejected", {at(server()), "has expired"});
  show(ca().issue("elsewhere", {"DNS:elsewhere.example"}), ca());
  EXPECT_TRUE(eventually([&] { return agent().status()->message.find("for another name") != std::string::npos; },
                         kRecoversWithin))
      << fixture_->diagnostics();
  show(ca().issue("good", kNames), ca());
  EXPECT_TRUE(equal());
}

TEST_P(SecureDatabase, RotatedPasswordAndAuthorityRecoverWithTheSecrets) {
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
  expect_reported(agent(), "CredentialsRejected", {at(server())});
  mount_user("rotated");
  ASSERT_TRUE(equal());

  show(other_ca_->issue("rotated", kNames), *other_ca_);
  insert();
  expect_reported(agent(), "CertificateRejected", {at(server()), "authority of the CA file"});
  mount(secret("ca"), {{"ca.crt", text_of(*other_ca_)}});
  EXPECT_TRUE(equal());

  server().execute(fmt::format("ALTER USER {}@'127.0.0.1' IDENTIFIED BY {}", quote(user()), quote(Fixture::kPassword)));
  show(ca().issue("good", kNames), ca());
}

INSTANTIATE_TEST_SUITE_P(Sides, SecureDatabase, testing::Values(Side{"source", true}, Side{"destination", false}),
                         [](const auto& side) { return std::string(side.param.name); });

TEST_F(Security, RotatedBrokerPasswordAndAuthorityRecoverWithTheSecrets) {
  prepare("kafkarotation");
  start_both();
  ASSERT_TRUE(equal());
  if (scram()) {  // a broker's PLAIN users are part of its configuration
    fixture_->broker().set_scram_user(kUser, "rotated");
    insert();
    EXPECT_TRUE(equal());  // connections that stand are kept
    fixture_->broker().restart();
    insert();
    expect_reported(fixture_->capture(), "CredentialsRejected", {kafka_at()});
    expect_reported(fixture_->apply(), "CredentialsRejected", {kafka_at()});
    mount("kafka-user", {{"username", kUser}, {"password", "rotated"}});
    ASSERT_TRUE(equal());
  }
  fixture_->broker().replace_certificate(other_ca_->issue("broker", kNames));
  insert();
  fixture_->broker().kill();  // with records on their way
  fixture_->broker().start();
  expect_reported(fixture_->capture(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  expect_reported(fixture_->apply(), "CertificateRejected", {kafka_at(), "authority of the CA file"});
  mount("kafka-ca", {{"ca.crt", text_of(*other_ca_)}});
  EXPECT_TRUE(equal());

  if (scram()) fixture_->broker().set_scram_user(kUser, kScram);
  fixture_->broker().replace_certificate(kafka_ca_->issue("good", kNames));
}

}  // namespace
}  // namespace datasync::test
