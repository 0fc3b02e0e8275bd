#include "agents/config/config.hpp"

#include <gtest/gtest.h>

namespace datasync::config {
namespace {

Capture full_capture() {
  Capture c;
  c.common.name = "sync/shop";
  c.common.instance = "pod-7";
  c.common.secrets_dir = "/run/secrets";
  c.common.http_port = 8080;
  c.common.http_port_file = "/tmp/port";
  c.common.http_host = "127.0.0.1";
  c.common.log_level = "debug";
  c.common.log_format = "json";
  c.common.mode = Mode::Once;
  c.common.channel = {"kafka-0:9092,kafka-1:9092",
                      "shop",
                      4,
                      1,
                      true,
                      {"ca", "ca.crt"},
                      {"cert", "tls.crt"},
                      {"cert", "tls.key"},
                      "SCRAM-SHA-512",
                      {"sasl", "username"},
                      {"sasl", "password"}};
  c.engine = Engine::MySQL;
  c.replicas = {{"db-1", 3307}, {"10.0.0.2", 3306}, {"::1", 3306}};
  c.allow_primary = c.allow_cascades = true;
  c.credentials = {{"reader", "username"}, {"reader", "password"}};
  c.tls = {TlsMode::VerifyIdentity, {"shop-ca", "ca.crt"}};
  c.server_id = 4294967295;
  c.types = {{"orders", {"shop.orders", "shöp.näme with `"}, {"shop.orders.note"}, {{"shop.orders", {"id", "line"}}}}};
  c.snapshot_mode = SnapshotMode::Never;
  c.chunk_rows = 7;
  c.parallelism = 3;
  c.on_position_lost = OnPositionLost::Resnapshot;
  c.copy_tables = "shop.orders#again";
  c.accept_gtid = "0-1-7,0-1-9";
  c.heartbeat = std::chrono::milliseconds(200);
  c.watchdog = std::chrono::milliseconds(900);
  c.checkpoint_every = std::chrono::milliseconds(100);
  c.max_in_flight_bytes = 8U << 20U;
  c.record_bytes = 4096;
  c.compression = "zstd";
  return c;
}

Apply full_apply() {
  Apply a;
  a.common = full_capture().common;
  a.engine = Engine::PostgreSQL;
  a.destination = {"dr", 5432};
  a.credentials = {{"writer", "u"}, {"writer", "p"}};
  a.tls = {TlsMode::Required, {}};
  a.types = {"orders", "customers"};
  a.rename = {{"shop.orders", "dr_shop.orders"}};
  a.create_tables = false;
  a.schema_changes = SchemaChanges::ApplyAll;
  a.on_conflict = OnConflict::Overwrite;
  a.on_table_error = OnTableError::HoldTable;
  a.ledger_database = "ledger";
  a.batch_rows = 10;
  a.batch_bytes = 2048;
  a.batch_time = std::chrono::milliseconds(0);
  a.skip_offsets = {"0:123", "1:45"};
  a.copy_tables = "shop.orders,shop.items";
  return a;
}

constexpr std::string_view kSmallCapture = R"({
  "name": "sync/shop", "channel": {"bootstrapServers": "k:9092", "topic": "shop"},
  "replicas": [{"host": "db"}], "types": [{"name": "orders", "tables": ["shop.orders"]}]})";

TEST(Config, a_capture_configuration_survives_writing_and_reading) {
  const auto read = read_capture(write(full_capture()));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, full_capture());
}

TEST(Config, an_apply_configuration_survives_writing_and_reading) {
  const auto read = read_apply(write(full_apply()));
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, full_apply());
}

TEST(Config, unset_fields_have_their_default) {
  const auto read = read_capture(kSmallCapture);
  ASSERT_TRUE(read) << read.error().what;
  Capture expected;
  expected.common.name = "sync/shop";
  expected.common.channel.bootstrap_servers = "k:9092";
  expected.common.channel.topic = "shop";
  expected.replicas = {{"db", 3306}};
  expected.types = {{"orders", {"shop.orders"}, {}, {}}};
  EXPECT_EQ(*read, expected);
}

TEST(Config, every_wrong_field_is_reported_with_its_path_at_once) {
  const auto read = read_capture(R"({
    "name": "", "channel": {"bootstrapServers": "k", "topic": "a b", "partitions": 0, "partitons": 3},
    "replicas": [{"host": "db", "port": 70000}, {"port": 1}, 7], "types": [],
    "engine": "Oracle", "allowPrimary": "yes", "chunkRows": 1.5, "credentials": []})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, base::Reason::ConfigInvalid);
  EXPECT_EQ(read.error().what,
            "name: must not be empty\n"
            "channel.bootstrapServers: \"k\" is not HOST:PORT[,HOST:PORT...]\n"
            "channel.topic: \"a b\" is not a topic name (letters, digits, '-', '_' and '.', at most 243)\n"
            "channel.partitions: 0 is below 1\n"
            "channel.partitons: unknown field; did you mean partitions?\n"
            "engine: \"Oracle\" is not one of MariaDB, MySQL, PostgreSQL\n"
            "replicas[0].port: 70000 is above 65535\n"
            "replicas[1].host: is required\n"
            "replicas[2]: 7 is not a map\n"
            "allowPrimary: \"yes\" is not true or false\n"
            "credentials: a list is not a map\n"
            "types: needs at least 1 item\n"
            "chunkRows: 1.5 is not a whole number");
}

TEST(Config, a_watchdog_shorter_than_two_heartbeats_is_refused) {
  auto c = full_capture();
  c.watchdog = std::chrono::milliseconds(399);
  const auto read = read_capture(write(c));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what,
            "watchdogMs: must be at least twice heartbeatMs, or an idle replica counts as unreachable");
}

TEST(Config, text_that_is_not_json_is_an_error_and_not_a_crash) {
  for (const auto* text : {"", "{", "[]", "null", "{\"name\":\"a\",\"name\":\"b\"}", "\xff\xfe"}) {
    EXPECT_FALSE(read_apply(text)) << text;
  }
}

TEST(Config, a_missing_file_is_named) {
  const auto text = read_file("/nowhere/capture.json");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().what, "/nowhere/capture.json cannot be read: No such file or directory");
}

}  // namespace
}  // namespace datasync::config
