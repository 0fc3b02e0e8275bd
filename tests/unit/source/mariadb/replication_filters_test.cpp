#include "agents/source/mariadb/replication_filters.hpp"

#include <gtest/gtest.h>

namespace datasync::source::mariadb {
namespace {

Selection shop() {
  return *Selection::make({config::Type{"t", {"shop.orders", "shop.lines"}, {}, {}}}, 1);
}

std::string findings(const char* name, const char* value, bool fold = false) {
  std::string out;
  for (const auto& f : check_filters({{"", {{name, value}}}}, shop(), fold)) out += (out.empty() ? "" : "; ") + f.what;
  return out;
}

struct Row {
  const char *title, *name, *value;
  const char* finding;  ///< part of it; nullptr: no finding
  bool fold = false;
};

class Filter : public testing::TestWithParam<Row> {};

TEST_P(Filter, is_judged_by_the_captured_tables) {
  const auto& r = GetParam();
  const auto finding = findings(r.name, r.value, r.fold);
  if (r.finding == nullptr)
    EXPECT_EQ(finding, "");
  else
    EXPECT_NE(finding.find(r.finding), std::string::npos) << finding;
}

// Filters were not looked at, and the rows that they leave out are missing for ever.
INSTANTIATE_TEST_SUITE_P(
    Replica, Filter,
    testing::Values(Row{"ignored_table", "replicate_ignore_table", "shop.other, shop.orders", "changes of shop.orders"},
                    Row{"another_ignored_table", "replicate_ignore_table", "shop.order,shop2.orders", nullptr},
                    Row{"ignored_pattern", "replicate_wild_ignore_table", "mysql.%,shop.%", "shop.orders, shop.lines"},
                    Row{"another_pattern", "replicate_wild_ignore_table", "mysql.%,shop_.%", nullptr},
                    Row{"ignored_in_another_case", "replicate_ignore_table", "SHOP.Orders", "shop.orders"},
                    Row{"all_named_tables", "replicate_do_table", "shop.lines,shop.orders", nullptr},
                    Row{"one_table_not_named", "replicate_do_table", "shop.lines", "does not name shop.orders,"},
                    Row{"named_in_another_case", "replicate_do_table", "SHOP.lines,SHOP.orders",
                        "does not name shop.orders"},
                    Row{"named_in_another_case_where_case_is_nothing", "replicate_do_table", "SHOP.lines,SHOP.orders",
                        nullptr, true},
                    Row{"pattern_that_names_all", "replicate_wild_do_table", "shop.%", nullptr},
                    Row{"pattern_that_names_one", "replicate_wild_do_table", "shop.o%", "does not name shop.lines"},
                    Row{"database", "replicate_do_db", "shop", "by the default database"},
                    Row{"another_database", "replicate_ignore_db", "test", "by the default database"},
                    Row{"binlog_database", "binlog_ignore_db", "test", "by the default database"},
                    Row{"renamed_database", "replicate_rewrite_db", "old->new, shop->store", "come under another name"},
                    Row{"renamed_to_it", "replicate_rewrite_db", "old->shop", "come under another name"},
                    Row{"domains", "replicate_do_domain_ids", "1,2", "of other domains or servers are not replicated"},
                    Row{"ignored_domains", "replicate_ignore_domain_ids", "1", "of other domains or servers"},
                    Row{"ignored_servers", "replicate_ignore_server_ids", "7", "of other domains or servers"},
                    Row{"marked_events", "replicate_events_marked_for_skip", "FILTER_ON_SLAVE", "skip_replication=1"},
                    Row{"marked_events_that_are_replicated", "replicate_events_marked_for_skip", "REPLICATE", nullptr},
                    Row{"another_renamed_database", "replicate_rewrite_db", "old->new", nullptr}),
    [](const auto& row) { return row.param.title; });

// What triggers change with LOGGING and ENFORCE is in the binlog.
TEST(Filters, triggers_that_are_logged_are_no_finding) {
  for (const auto* value : {"NO", "LOGGING", "ENFORCE"})
    EXPECT_TRUE(check_sql_thread({{"slave_run_triggers_for_rbr", value}, {"slave_exec_mode", "STRICT"}}).empty());
  EXPECT_EQ(check_sql_thread({{"slave_run_triggers_for_rbr", "YES"}}).size(), 1U);
}

TEST(Filters, of_each_connection_are_judged_separately) {
  const auto finding = check_filters(
      {{"", {{"replicate_do_table", "shop.orders,shop.lines"}}}, {"west", {{"replicate_do_table", "other.t"}}}}, shop(),
      false);
  ASSERT_EQ(finding.size(), 1U);
  EXPECT_NE(finding[0].what.find("replicate_do_table of connection west"), std::string::npos);
  EXPECT_NE(finding[0].fix.find("SET GLOBAL `west`.replicate_do_table=''"), std::string::npos);
}

TEST(Filters, patterns_are_those_of_like) {
  EXPECT_TRUE(matches_wild("shop.%", "shop.orders"));
  EXPECT_TRUE(matches_wild("%", "shop.orders"));
  EXPECT_TRUE(matches_wild("%.orders%", "shop.orders_2"));
  EXPECT_TRUE(matches_wild("sh_p.orders", "sh\xc3\xb6p.orders"));
  EXPECT_FALSE(matches_wild("sh\\_p.orders", "shop.orders"));
  EXPECT_TRUE(matches_wild("sh\\_p.orders", "sh_p.orders"));
  EXPECT_FALSE(matches_wild("shop.orders", "shop.orders2"));
  EXPECT_FALSE(matches_wild("shop.orders_", "shop.orders"));
  EXPECT_FALSE(matches_wild("", "a"));
}

}  // namespace
}  // namespace datasync::source::mariadb
