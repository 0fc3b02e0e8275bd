#include "operator/desired/desired.hpp"

#include <gtest/gtest.h>

#include "operator/api/read.hpp"

namespace datasync::desired {
namespace {

api::DataSync sample(const char* name, std::size_t document = 0) {
  return api::read_documents(config::read_file(std::string(SAMPLES_DIR) + "/" + name).value()).at(document).resource;
}

const Runtime kRuntime{.secrets_dir = "/secrets",
                       .instance = "i-1",
                       .http_host = "127.0.0.1",
                       .http_port = 8080,
                       .http_port_file = "/tmp/port",
                       .log_level = "debug",
                       .log_format = "json"};

TEST(Desired, a_capture_gets_everything_the_full_resource_says) {
  config::Capture expected;
  expected.common = {"sync/shop", "i-1", "/secrets", 8080, "/tmp/port", "127.0.0.1", "debug", "json", {}, {}};
  auto& c = expected.common.channel;
  c = {"kafka-0.kafka:9092,kafka-1.kafka:9092",
       "shop",
       1,
       3,
       true,
       {"kafka-ca", "ca.crt"},
       {"kafka-client", "tls.crt"},
       {"kafka-client", "tls.key"},
       "SCRAM-SHA-512",
       {"kafka-user", "username"},
       {"kafka-user", "password"}};
  expected.replicas = {{"shop-db-1.shop", 3306}, {"shop-db-2.shop", 3306}};
  expected.credentials = {{"shop-reader", "username"}, {"shop-reader", "password"}};
  expected.tls = {config::TlsMode::VerifyIdentity, {"shop-ca", "ca.crt"}};
  expected.types = {{"orders", {"shop.orders", "shop.order_items"}, {}, {}},
                    {"customers", {"shop.customers"}, {"shop.customers.password_hash"}, {}},
                    {"visits", {"shop.visits"}, {}, {{"shop.visits", {"visitor", "at"}}}}};
  EXPECT_EQ(capture_config(sample("full.yaml"), kRuntime), expected);
}

TEST(Desired, an_apply_gets_everything_the_full_resource_says) {
  const auto a = apply_config(sample("full.yaml"), kRuntime);
  EXPECT_EQ(a.common, capture_config(sample("full.yaml"), kRuntime).common);
  EXPECT_EQ(a.destination, (config::HostPort{"shop-db.dr", 3306}));
  EXPECT_EQ(a.credentials, (config::Credentials{{"dr-writer", "user"}, {"dr-writer", "pass"}}));
  EXPECT_EQ(a.tls, (config::ServerTls{config::TlsMode::Required, {}}));
  EXPECT_EQ(a.types, std::vector<std::string>{"orders"});
  EXPECT_EQ(a.rename, (std::map<std::string, std::string>{{"shop.orders", "dr_shop.orders"}}));
  EXPECT_TRUE(a.skip_offsets.empty());
}

TEST(Desired, declared_offsets_and_once_reach_the_agent) {
  auto first = sample("destination-only.yaml");
  EXPECT_TRUE(apply_config(first, kRuntime).skip_offsets.empty());
  first.metadata.annotations[std::string(api::kSkipOffsets)] = "0:123,1:45";
  EXPECT_EQ(apply_config(first, kRuntime).skip_offsets, (std::vector<std::string>{"0:123", "1:45"}));
  auto other = sample("destination-only.yaml", 1);
  other.spec.mode = config::Mode::Once;
  const auto second = apply_config(other, kRuntime);
  EXPECT_EQ(second.common.mode, config::Mode::Once);
  EXPECT_EQ(second.on_conflict, config::OnConflict::Overwrite);
  EXPECT_EQ(second.on_table_error, config::OnTableError::HoldTable);
}

// Only the agent that first writes down that it waits may ask: a copy that came before would never be met again.
TEST(Desired, tables_to_copy_again_reach_one_agent) {
  auto both = sample("full.yaml");
  both.metadata.annotations[std::string(api::kCopyTables)] = "shop.orders#2";
  EXPECT_EQ(apply_config(both, kRuntime).copy_tables, "shop.orders#2");
  EXPECT_EQ(capture_config(both, kRuntime).copy_tables, "");
  auto source = sample("source-only.yaml");
  source.metadata.annotations[std::string(api::kCopyTables)] = "shop.orders#2";
  EXPECT_EQ(capture_config(source, kRuntime).copy_tables, "shop.orders#2");
}

TEST(Desired, an_accepted_transaction_reaches_capture) {
  auto r = sample("full.yaml");
  r.metadata.annotations[std::string(api::kAcceptGtid)] = "0-1-7";
  EXPECT_EQ(capture_config(r, kRuntime).accept_gtid, "0-1-7");
}

TEST(Desired, a_channel_without_tls_and_sasl_names_no_secret) {
  const auto c = capture_config(sample("source-only.yaml"), kRuntime).common.channel;
  EXPECT_FALSE(c.tls);
  EXPECT_FALSE(c.tls_ca.set() || c.tls_certificate.set() || c.tls_key.set() || c.sasl_username.set());
  EXPECT_EQ(c.sasl_mechanism, "");
}

// The agents check what they read by ranges of their own: a valid resource must never give a configuration they refuse.
TEST(Desired, what_is_desired_is_what_the_agents_accept) {
  for (const auto* name : {"full.yaml", "minimal.yaml", "source-only.yaml", "destination-only.yaml"}) {
    const auto r = sample(name);
    if (r.spec.source) {
      const auto made = capture_config(r, kRuntime);
      const auto read = config::read_capture(config::write(made));
      ASSERT_TRUE(read) << name << ": " << read.error().what;
      EXPECT_EQ(*read, made);
    }
    if (r.spec.destination) {
      const auto made = apply_config(r, kRuntime);
      const auto read = config::read_apply(config::write(made));
      ASSERT_TRUE(read) << name << ": " << read.error().what;
      EXPECT_EQ(*read, made);
    }
  }
}

}  // namespace
}  // namespace datasync::desired
