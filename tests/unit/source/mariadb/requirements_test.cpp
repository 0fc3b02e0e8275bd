#include "agents/source/mariadb/requirements.hpp"

#include <gtest/gtest.h>

namespace datasync::source::mariadb {
namespace {

using base::Reason;

ServerFacts good_server() {
  ServerFacts f;
  f.user = "'reader'@'%'";
  f.variables = {{"log_bin", "ON"},
                 {"binlog_format", "ROW"},
                 {"binlog_row_image", "FULL"},
                 {"binlog_row_metadata", "FULL"},
                 {"gtid_strict_mode", "ON"},
                 {"read_only", "ON"},
                 {"log_slave_updates", "ON"},
                 {"server_id", "11"},
                 {"slave_run_triggers_for_rbr", "NO"},
                 {"slave_skip_errors", "OFF"},
                 {"slave_exec_mode", "STRICT"},
                 {"lower_case_table_names", "0"}};
  f.grants = {"GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `reader`@`%`"};
  f.other_server_ids = {11, 12};
  f.is_replica = true;
  return f;
}

Selection one_table() {
  return *Selection::make({config::Type{"orders", {"shop.orders"}, {}, {}}}, 1);
}

struct ServerRow {
  const char* name;
  void (*spoil)(ServerFacts&);
  Reason reason;
  const char* what;
  const char* fix;
};

class Server : public testing::TestWithParam<ServerRow> {};

TEST_P(Server, is_reported_with_its_fix) {
  auto facts = good_server();
  GetParam().spoil(facts);
  const auto findings = check_server(facts, {false, false, 99}, one_table());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].reason, GetParam().reason);
  EXPECT_NE(findings[0].what.find(GetParam().what), std::string::npos) << findings[0].what;
  EXPECT_NE(findings[0].fix.find(GetParam().fix), std::string::npos) << findings[0].fix;
}

INSTANTIATE_TEST_SUITE_P(
    Preflight, Server,
    testing::Values(
        ServerRow{"binlog_off", [](ServerFacts& f) { f.variables["log_bin"] = "OFF"; }, Reason::PreflightFailed,
                  "log_bin is OFF", "log_bin=mariadb-bin"},
        ServerRow{"mixed_format", [](ServerFacts& f) { f.variables["binlog_format"] = "MIXED"; },
                  Reason::PreflightFailed, "binlog_format is MIXED", "SET GLOBAL binlog_format='ROW'"},
        ServerRow{"minimal_image", [](ServerFacts& f) { f.variables["binlog_row_image"] = "MINIMAL"; },
                  Reason::PreflightFailed, "binlog_row_image is MINIMAL", "SET GLOBAL binlog_row_image='FULL'"},
        ServerRow{"no_metadata", [](ServerFacts& f) { f.variables["binlog_row_metadata"] = "NO_LOG"; },
                  Reason::PreflightFailed, "binlog_row_metadata is NO_LOG", "SET GLOBAL binlog_row_metadata='FULL'"},
        ServerRow{"lax_gtids", [](ServerFacts& f) { f.variables["gtid_strict_mode"] = "OFF"; }, Reason::PreflightFailed,
                  "gtid_strict_mode is OFF", "SET GLOBAL gtid_strict_mode=ON"},
        ServerRow{"silent_replica", [](ServerFacts& f) { f.variables["log_slave_updates"] = "OFF"; },
                  Reason::PreflightFailed, "log_slave_updates is OFF", "log_slave_updates=ON"},
        ServerRow{"writable", [](ServerFacts& f) { f.variables["read_only"] = "OFF"; }, Reason::PreflightFailed,
                  "writable", "allowPrimary: true"},
        ServerRow{
            "no_dump_grant", [](ServerFacts& f) { f.grants = {"GRANT SELECT, BINLOG MONITOR ON *.* TO `reader`@`%`"}; },
            Reason::PermissionDenied, "may not read the binlog", "GRANT REPLICATION SLAVE ON *.* TO 'reader'@'%'"},
        ServerRow{"dump_grant_on_one_database",
                  [](ServerFacts& f) { f.grants = {"GRANT REPLICATION SLAVE ON `shop`.* TO `reader`@`%`"}; },
                  Reason::PermissionDenied, "may not read the binlog", "GRANT REPLICATION SLAVE"},
        ServerRow{"no_monitor_grant", [](ServerFacts& f) { f.may_list_binlogs = false; }, Reason::PermissionDenied,
                  "may not list", "GRANT BINLOG MONITOR ON *.* TO 'reader'@'%'"},
        ServerRow{"no_grant_to_see_replication", [](ServerFacts& f) { f.may_see_replication = false; },
                  Reason::PermissionDenied, "whether the server replicates",
                  "GRANT SLAVE MONITOR ON *.* TO 'reader'@'%'"},
        ServerRow{"an_administrator_of_replication_who_may_not_dump",
                  [](ServerFacts& f) {
                    f.grants = {"GRANT SELECT, BINLOG MONITOR, REPLICATION SLAVE ADMIN ON *.* TO `reader`@`%`"};
                  },
                  Reason::PermissionDenied, "may not read the binlog", "GRANT REPLICATION SLAVE ON *.*"},
        ServerRow{"filter_that_drops_a_captured_table",
                  [](ServerFacts& f) {
                    f.filters = {{"west", {{"replicate_wild_ignore_table", "shop.or%"}}}};
                  },
                  Reason::PreflightFailed, "replicate_wild_ignore_table of connection west is shop.or%",
                  "SET GLOBAL `west`.replicate_wild_ignore_table=''"},
        ServerRow{"triggers_that_are_not_logged",
                  [](ServerFacts& f) { f.variables["slave_run_triggers_for_rbr"] = "YES"; }, Reason::PreflightFailed,
                  "slave_run_triggers_for_rbr is YES", "SET GLOBAL slave_run_triggers_for_rbr='NO'"},
        ServerRow{"errors_that_are_skipped", [](ServerFacts& f) { f.variables["slave_skip_errors"] = "1062,1032"; },
                  Reason::PreflightFailed, "slave_skip_errors is 1062,1032", "option file"},
        ServerRow{"missing_rows_that_are_skipped",
                  [](ServerFacts& f) { f.variables["slave_exec_mode"] = "IDEMPOTENT"; }, Reason::PreflightFailed,
                  "slave_exec_mode is IDEMPOTENT", "SET GLOBAL slave_exec_mode='STRICT'"},
        ServerRow{"domains_that_are_ignored",
                  [](ServerFacts& f) {
                    f.filters = {{"west", {{"replicate_ignore_domain_ids", "3"}}}};
                  },
                  Reason::PreflightFailed, "replicate_ignore_domain_ids of connection west is 3",
                  "CHANGE MASTER 'west' TO IGNORE_DOMAIN_IDS=()"},
        ServerRow{"server_id_in_use", [](ServerFacts& f) { f.other_server_ids.push_back(99); },
                  Reason::DuplicateServerId, "server id 99", "serverId"},
        ServerRow{"not_mariadb",
                  [](ServerFacts& f) {
                    f.is_mariadb = false;
                    f.version = "8.0.33";
                  },
                  Reason::PreflightFailed, "8.0.33", "MariaDB"}),
    [](const auto& row) { return row.param.name; });

TEST(Preflight, accepts_a_good_server_and_all_privileges) {
  EXPECT_TRUE(check_server(good_server(), {false, false, 99}, one_table()).empty());
  auto root = good_server();
  root.grants = {"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"};
  EXPECT_TRUE(check_server(root, {false, false, 99}, one_table()).empty());
}

TEST(Preflight, accepts_a_primary_only_when_declared) {
  auto primary = good_server();
  primary.variables["read_only"] = "OFF";
  primary.variables["log_slave_updates"] = "OFF";
  primary.is_replica = false;
  EXPECT_EQ(check_server(primary, {false, false, 99}, one_table()).size(), 1U);
  EXPECT_TRUE(check_server(primary, {true, false, 99}, one_table()).empty());
}

// The global setting was correct, and the SQL thread still wrote statements.
TEST(Preflight, values_of_running_sessions_are_named) {
  auto facts = good_server();
  facts.variables["binlog_format"] = "MIXED";
  const auto findings = check_server(facts, {false, false, 99}, one_table());
  EXPECT_NE(findings.at(0).fix.find("then STOP ALL SLAVES and START ALL SLAVES"), std::string::npos);
}

// What is watched while a server is read.
TEST(Preflight, settings_that_change_are_found_again) {
  auto facts = good_server();
  EXPECT_TRUE(check_settings(facts, {false, false, 99}, one_table()).empty());
  facts.variables["gtid_strict_mode"] = "OFF";
  facts.variables["read_only"] = "OFF";
  facts.filters = {{"", {{"replicate_do_table", "shop.customers"}}}};
  EXPECT_EQ(check_settings(facts, {false, false, 99}, one_table()).size(), 3U);
}

struct Tables : testing::Test {
  Tables() {
    config::Type orders{"orders", {"shop.orders"}, {"shop.orders.note"}, {}};
    config::Type customers{"customers", {"shop.customers"}, {}, {}};
    selection = *Selection::make({orders, customers}, 4);
    facts.choice = selection.find("shop", "orders");
    facts.info.emplace();
    facts.info->engine = "InnoDB";
    facts.info->schema = {"shop", "orders", {column("id"), column("note"), column("customer")}, {0}};
  }
  static message::Column column(std::string name) {
    message::Column c;
    c.name = std::move(name);
    return c;
  }
  [[nodiscard]] std::vector<Finding> check(bool allow_cascades = false) const {
    return check_table(facts, selection, {false, allow_cascades, 99});
  }
  void expect_one(Reason reason, const char* what) const {
    const auto findings = check();
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].reason, reason);
    EXPECT_NE(findings[0].what.find(what), std::string::npos) << findings[0].what;
  }
  Selection selection = *Selection::make({}, 1);
  TableDetails facts;
};

TEST_F(Tables, good_one_has_no_finding) {
  EXPECT_TRUE(check().empty());
}

TEST_F(Tables, missing_one_is_reported) {
  facts.info.reset();
  expect_one(Reason::PreflightFailed, "shop.orders does not exist");
}

TEST_F(Tables, unreadable_one_is_reported) {
  facts.readable = false;
  expect_one(Reason::PermissionDenied, "may not read shop.orders");
}

TEST_F(Tables, without_a_key_is_reported_unless_declared) {
  facts.info->schema.key.clear();
  expect_one(Reason::KeyMissing, "no primary key");
  auto choice = *facts.choice;
  choice.key_columns = {"customer"};
  facts.choice = &choice;
  EXPECT_TRUE(check().empty());
  choice.key_columns = {"nothing"};
  EXPECT_EQ(check().size(), 1U);
}

// A type that is not known refused the whole table, although the column was excluded.
TEST_F(Tables, an_excluded_column_may_be_of_any_type) {
  auto choice = *facts.choice;
  facts.choice = &choice;
  choice.exclude = {"embedding"};
  facts.info->unread_columns = {"Embedding"};
  EXPECT_TRUE(check().empty());
}

TEST_F(Tables, excluded_columns_must_exist_and_be_no_key) {
  auto choice = *facts.choice;
  facts.choice = &choice;
  choice.exclude = {"id"};
  expect_one(Reason::KeyMissing, "key column id of shop.orders is excluded");
  choice.exclude = {"gone"};
  expect_one(Reason::PreflightFailed, "excluded column gone");
}

TEST_F(Tables, engine_without_transactions_is_reported) {
  facts.info->engine = "Aria";
  expect_one(Reason::EngineNotTransactional, "engine Aria, which has no transactions");
  facts.info->engine = "ROCKSDB";
  expect_one(Reason::PreflightFailed, "engine ROCKSDB; only InnoDB is supported");
}

TEST_F(Tables, system_versioning_is_reported) {
  facts.info->system_versioned = true;
  expect_one(Reason::PreflightFailed, "system-versioned");
}

TEST_F(Tables, type_that_is_not_supported_is_reported) {
  facts.problem = "column v of shop.orders is VECTOR";
  expect_one(Reason::UnsupportedType, "VECTOR");
}

TEST_F(Tables, cascades_are_reported_unless_allowed) {
  facts.info->foreign_keys = {{"fk", {"customer"}, "shop", "orders", {"id"}, "RESTRICT", "SET NULL"}};
  expect_one(Reason::PreflightFailed, "ON DELETE SET NULL");
  EXPECT_TRUE(check(true).empty());
}

// Rows disappeared at the source without any event: the destination does not have the parent that they follow.
TEST_F(Tables, cascades_of_a_parent_not_captured_are_always_reported) {
  facts.info->foreign_keys = {{"fk", {"customer"}, "shop", "other", {"id"}, "RESTRICT", "CASCADE"}};
  const auto findings = check(true);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings[0].what.find("of shop.other, which is not captured"), std::string::npos) << findings[0].what;
  EXPECT_NE(findings[0].fix.find("name shop.other in a type too"), std::string::npos) << findings[0].fix;
  facts.info->foreign_keys[0].on_delete = "RESTRICT";
  EXPECT_TRUE(check(true).empty());
}

TEST_F(Tables, view_is_reported_as_one) {
  facts.info.reset();
  facts.kind = "VIEW";
  expect_one(Reason::PreflightFailed, "shop.orders is a VIEW, not a table");
  EXPECT_NE(check()[0].fix.find("tables that it selects from"), std::string::npos);
  facts.kind = "SEQUENCE";
  expect_one(Reason::PreflightFailed, "shop.orders is a SEQUENCE");
}

TEST_F(Tables, virtual_column_that_depends_on_the_time_is_reported) {
  facts.info->schema.columns.push_back({.name = "born", .type = message::ColumnType::Date});
  facts.info->schema.columns.push_back({.name = "age", .generated = true});
  facts.computed = {{"age", "timestampdiff(YEAR,`born`,curdate())", true}};
  expect_one(Reason::PreflightFailed, "VIRTUAL column age of shop.orders uses CURDATE()");
}

TEST_F(Tables, foreign_key_across_streams_is_reported) {
  facts.info->foreign_keys = {{"fk", {"customer"}, "shop", "customers", {"id"}, "RESTRICT", "RESTRICT"}};
  ASSERT_NE(selection.find("shop", "customers")->stream, facts.choice->stream);
  expect_one(Reason::PreflightFailed, "another stream");
}

}  // namespace
}  // namespace datasync::source::mariadb
