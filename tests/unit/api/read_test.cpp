#include "operator/api/read.hpp"

#include <set>

#include <gtest/gtest.h>

namespace datasync::api {
namespace {

DataSync sample(const char* name, std::size_t document = 0) {
  const auto text = config::read_file(std::string(SAMPLES_DIR) + "/" + name).value();
  auto documents = read_documents(text);
  EXPECT_EQ(config::to_text(documents.at(document).problems), "");
  return documents.at(document).resource;
}

TEST(Read, every_field_of_the_full_sample_is_read) {
  const auto r = sample("full.yaml");
  EXPECT_EQ(r.id(), "sync/shop");
  EXPECT_EQ(r.spec.types, std::vector<std::string>{"orders"});
  const auto& s = r.spec.source.value();
  EXPECT_EQ(s.replicas, (std::vector<config::HostPort>{{"shop-db-1.shop", 3306}, {"shop-db-2.shop", 3306}}));
  EXPECT_EQ(s.credentials.secret_name, "shop-reader");
  EXPECT_EQ(s.credentials.username_key, "username");
  EXPECT_EQ(s.tls.mode, config::TlsMode::VerifyIdentity);
  EXPECT_EQ(s.tls.ca_secret_name, "shop-ca");
  ASSERT_EQ(s.types.size(), 3U);
  EXPECT_EQ(s.types[1].exclude_columns, std::vector<std::string>{"shop.customers.password_hash"});
  EXPECT_EQ(s.types[2].key_columns.at("shop.visits"), (std::vector<std::string>{"visitor", "at"}));
  const auto& c = r.spec.channel;
  EXPECT_EQ(c.bootstrap_servers, "kafka-0.kafka:9092,kafka-1.kafka:9092");
  EXPECT_EQ(c.replication_factor, 3);
  EXPECT_TRUE(c.tls.on());
  EXPECT_TRUE(c.sasl.on());
  EXPECT_EQ(c.sasl.mechanism, "SCRAM-SHA-512");
  const auto& d = r.spec.destination.value();
  EXPECT_EQ(d.host, "shop-db.dr");
  EXPECT_EQ(d.credentials.username_key, "user");
  EXPECT_EQ(d.credentials.password_key, "pass");
  EXPECT_EQ(d.rename.at("shop.orders"), "dr_shop.orders");
  EXPECT_EQ(d.ledger_database, "datasync");
  EXPECT_EQ(*r.spec.apply.pod_template.find("metadata"), config::parse_json(R"({"labels": {"team": "shop"}})").value());
}

TEST(Read, unset_fields_have_their_default) {
  const auto r = sample("source-only.yaml");
  EXPECT_FALSE(r.spec.destination.has_value());
  EXPECT_FALSE(r.spec.channel.tls.on());
  EXPECT_FALSE(r.spec.channel.sasl.on());
  EXPECT_EQ(r.spec.channel.partitions, 1);
  EXPECT_EQ(r.spec.source->replicas[0].port, 3306);
  EXPECT_EQ(r.spec.source->snapshot.chunk_rows, 10000U);
  EXPECT_EQ(r.spec.source->on_position_lost, config::OnPositionLost::Halt);
  EXPECT_TRUE(sample("destination-only.yaml").spec.destination->create_tables);
}

// One field with a default in a later definition made every resource ConfigInvalid under an earlier operator.
TEST(Read, a_stored_resource_may_have_fields_of_a_later_version) {
  const auto tree = config::parse_json(R"({"apiVersion":"datasync.dev/v1alpha1","kind":"DataSync",
    "metadata":{"name":"shop","later":1},
    "spec":{"paused":true,"laterToo":{"a":[]},"channel":{"bootstrapServers":"kafka:9092","topic":"shop"},
            "destination":{"host":"dr","hosst":"x","credentials":{"secretName":"writer"}}}})");
  EXPECT_EQ(read_resource(*tree).problems.size(), 3U) << "a user's file is read strictly";
  const auto stored = read_stored(*tree);
  EXPECT_TRUE(stored.problems.empty()) << config::to_text(stored.problems);
  EXPECT_TRUE(stored.resource.spec.paused);
  EXPECT_EQ(config::to_text(stored.unknown),
            "metadata.later: unknown field\nspec.destination.hosst: unknown field; did you mean host?\n"
            "spec.laterToo: unknown field");
}

TEST(Read, a_file_may_hold_several_resources) {
  EXPECT_EQ(sample("destination-only.yaml", 0).id(), "sync/orders-dr");
  EXPECT_EQ(sample("destination-only.yaml", 1).id(), "sync/customers-office");
  EXPECT_EQ(sample("destination-only.yaml", 1).spec.destination->on_conflict, config::OnConflict::Overwrite);
  EXPECT_EQ(sample("destination-only.yaml", 1).spec.destination->on_table_error, config::OnTableError::HoldTable);
}

TEST(Read, mode_once) {
  constexpr const char* kText =
      "apiVersion: datasync.dev/v1alpha1\nkind: DataSync\nmetadata: {name: copy}\nspec: {mode: Once}\n";
  EXPECT_EQ(read_documents(kText).at(0).resource.spec.mode, config::Mode::Once);
}

constexpr std::string_view kPostgres = R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync",
  "metadata": {"name": "shop", "uid": "1", "generation": 3, "managedFields": [{"a": 1}]},
  "spec": {"channel": {"bootstrapServers": "k:9092", "topic": "shop"},
           "destination": {"engine": "PostgreSQL", "host": "pg", "credentials": {"secretName": "w"}}},
  "status": {"conditions": [{"type": "Ready"}]}})";

TEST(Read, json_from_the_api_server_is_read_by_the_same_rules) {
  const auto document = read_resource(config::parse_json(kPostgres).value());
  EXPECT_EQ(config::to_text(document.problems), "");
  EXPECT_EQ(document.resource.metadata.namespace_, "default");
}

TEST(Read, the_port_of_a_destination_is_its_engines_own) {
  EXPECT_EQ(read_documents(kPostgres).at(0).resource.spec.destination->port, 5432);
  EXPECT_EQ(sample("destination-only.yaml").spec.destination->port, 3306);
}

TEST(Read, an_engine_that_is_not_built_is_valid_and_distinguished) {
  const auto document = read_documents(kPostgres).at(0);
  EXPECT_EQ(config::to_text(document.problems), "");
  EXPECT_EQ(config::to_text(not_built(document.resource)),
            "spec.destination.engine: this version does not support this engine yet; it supports MariaDB");
  EXPECT_TRUE(not_built(sample("full.yaml")).empty());
}

TEST(Read, the_list_of_fields_has_no_field_twice_and_knows_the_rules) {
  std::set<std::string> paths;
  std::map<std::string, config::FieldInfo> by_path;
  for (const auto& f : resource_fields()) {
    EXPECT_TRUE(paths.insert(f.path).second) << f.path;
    by_path[f.path] = f;
  }
  EXPECT_EQ(by_path.at("spec.channel.partitions").range.max, 1000);
  EXPECT_EQ(by_path.at("spec.channel.partitions").default_text, "1");
  EXPECT_EQ(by_path.at("spec.destination.port").default_text, "");
  EXPECT_TRUE(by_path.at("spec.source.types[].tables").required);
  EXPECT_EQ(by_path.at("spec.source.engine").choices, (std::vector<std::string_view>{"MariaDB", "MySQL"}));
  EXPECT_EQ(by_path.at("spec.destination.tables.rename").type, "map");
  EXPECT_EQ(by_path.at("spec.capture.podTemplate").type, "any");
}

}  // namespace
}  // namespace datasync::api
