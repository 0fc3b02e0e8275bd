#include "agents/kafka/client.hpp"

#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "agents/kafka/logs.hpp"
#include "agents/kafka/testing/mock_cluster.hpp"

namespace datasync::kafka {
namespace {

using base::Reason;

class Secrets : public testing::Test {
 protected:
  Secrets() : dir(std::filesystem::temp_directory_path() / ("ds-kafka-" + std::to_string(std::random_device{}()))) {
    std::filesystem::create_directories(dir / "user");
    channel.bootstrap_servers = "kafka:9092";
    channel.sasl_mechanism = "PLAIN";
    channel.sasl_username = {"user", "username"};
    channel.sasl_password = {"user", "password"};
    write("username", "alice\n");
    write("password", "open sesame");
  }
  ~Secrets() override { std::filesystem::remove_all(dir); }
  void write(const std::string& key, const std::string& text) const { std::ofstream(dir / "user" / key) << text; }

  const std::filesystem::path dir;
  config::Channel channel;
};

TEST_F(Secrets, are_read_afresh_each_time) {
  EXPECT_EQ(access(channel, dir)->sasl_password.reveal(), "open sesame");
  write("password", "rotated");
  EXPECT_EQ(access(channel, dir)->sasl_password.reveal(), "rotated");
  EXPECT_EQ(access(channel, dir)->sasl_username, "alice");
}

// Once a client that was made later, after a lost connection, went on with the secrets of the beginning.
TEST_F(Secrets, are_read_afresh_for_each_client) {
  const auto access = kafka::access(channel, dir).value();
  EXPECT_TRUE(Admin::open(access));
  std::filesystem::remove(dir / "user" / "password");
  const auto without = Admin::open(access);
  ASSERT_FALSE(without);
  EXPECT_TRUE(without.error().is(Reason::SecretNotFound));
  write("password", "rotated");
  EXPECT_TRUE(Admin::open(access));
}

TEST_F(Secrets, that_hold_no_certificate_are_no_defect_of_the_configuration) {
  channel.tls = true;
  channel.tls_ca = {"user", "ca.crt"};
  write("ca.crt", "no certificate");
  const auto made = Admin::open(access(channel, dir).value());
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().is(Reason::CertificateRejected)) << made.error().what;
  EXPECT_NE(made.error().what.find("kafka:9092"), std::string::npos);
}

TEST_F(Secrets, that_are_missing_are_named) {
  channel.tls_ca = {"user", "ca.crt"};
  const auto result = access(channel, dir);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(Reason::SecretNotFound));
  EXPECT_NE(result.error().what.find("user/ca.crt"), std::string::npos);
}

TEST(Events, have_the_reason_of_their_code_and_for_tls_of_their_message) {
  constexpr int kSsl = -181, kTransport = -195, kAuthentication = -169, kSaslFailed = 58, kResolve = -193;
  const struct {
    int code;
    const char* text;
    Reason reason;
  } cases[] = {
      {kSsl, "SSL handshake failed: certificate verify failed", Reason::CertificateRejected},
      {kSsl, "SSL handshake failed: wrong version number", Reason::BrokerUnreachable},
      {kTransport, "Receive failed: SSL routines::tlsv13 alert certificate required", Reason::CertificateRejected},
      {kTransport, "Connect to ipv4#127.0.0.1:9092 failed: Connection refused", Reason::BrokerUnreachable},
      {kTransport, "Disconnected", Reason::BrokerUnreachable},
      {kResolve, "Failed to resolve 'kafka:9092'", Reason::BrokerUnreachable},
      {kAuthentication, "SASL authentication error: Authentication failed", Reason::CredentialsRejected},
      {kSaslFailed, "", Reason::CredentialsRejected},
  };
  for (const auto& c : cases) EXPECT_EQ(event_reason(c.code, c.text), c.reason) << c.code << " " << c.text;
}

TEST(Admin, describes_a_missing_topic_as_missing) {
  MockCluster cluster;
  cluster.topic_error("nothing", kUnknownTopic);
  auto admin = Admin::open(cluster.access());
  ASSERT_TRUE(admin);
  const auto info = (*admin)->describe("nothing");
  ASSERT_TRUE(info) << info.error().what;
  EXPECT_FALSE(info->exists);
}

TEST(Admin, knows_an_empty_topic) {
  MockCluster cluster;
  cluster.create_topic("t", 3);
  auto admin = Admin::open(cluster.access());
  ASSERT_TRUE(admin);
  EXPECT_TRUE((*admin)->empty("t", 3).value());
  produce_raw(cluster.access(), "t", {{"kind", "start"}}, "x");
  EXPECT_FALSE((*admin)->empty("t", 3).value());
}

TEST(Admin, reports_when_no_broker_answers) {
  Access access;
  access.bootstrap_servers = "127.0.0.1:1";
  auto admin = Admin::open(access);
  ASSERT_TRUE(admin);
  const auto info = (*admin)->describe("t");
  ASSERT_FALSE(info);
  EXPECT_TRUE(info.error().is(Reason::BrokerUnreachable));
  EXPECT_NE(info.error().what.find("onnect"), std::string::npos) << info.error().what;
}

TEST(Client, names_a_setting_that_is_not_accepted_but_not_its_value) {
  Access access;
  access.bootstrap_servers = "127.0.0.1:1";
  access.extra["sasl.mechanism"] = "PLAIN";
  access.extra["compression.type"] = "hunter2";
  const auto admin = Admin::open(access);
  ASSERT_FALSE(admin);
  EXPECT_TRUE(admin.error().is(Reason::ConfigInvalid));
  EXPECT_NE(admin.error().what.find("compression.type"), std::string::npos);
  EXPECT_EQ(admin.error().what.find("hunter2"), std::string::npos);
}

TEST(EnsureTopics, creates_no_topics_unless_allowed) {
  MockCluster cluster;
  cluster.topic_error("shop", kUnknownTopic);
  cluster.topic_error("shop.state", kUnknownTopic);
  auto admin = Admin::open(cluster.access());
  ASSERT_TRUE(admin);
  config::Channel channel;
  channel.topic = "shop";
  const auto ensured = ensure_topics(**admin, channel, false);
  ASSERT_FALSE(ensured);
  EXPECT_TRUE(ensured.error().is(Reason::TopicMissing));
  EXPECT_NE(ensured.error().what.find("shop"), std::string::npos);
}

}  // namespace
}  // namespace datasync::kafka
