#include "agents/capture/requests.hpp"

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using Names = std::vector<std::string>;

Selection selection() {
  return Selection::make({{"orders", {"shop.orders", "shop.items"}, {}, {}}, {"people", {"shop.people"}, {}, {}}}, 1)
      .value();
}

Names names(const Requested& r) {
  Names out;
  for (const auto* t : r.tables) out.push_back(t->qualified());
  return out;
}

TEST(Requests, each_value_of_the_configuration_is_a_request_of_its_own) {
  config::Capture config;
  config.common.name = "sync/shop";
  EXPECT_FALSE(own_request(config));
  config.copy_tables = "shop.orders,shop.items";
  const auto first = own_request(config);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->tables, (Names{"shop.orders", "shop.items"}));
  config.copy_tables += "#2";
  const auto second = own_request(config);
  EXPECT_EQ(second->tables, first->tables);
  EXPECT_NE(second->id, first->id);
}

TEST(Requests, tables_that_are_not_captured_are_absent) {
  const auto captured = selection();
  const auto r = resolve({.id = "x", .tables = {"shop.items", "shop.gone", "nonsense", "shop.items"}}, captured);
  EXPECT_EQ(names(r), (Names{"shop.items"}));
  EXPECT_EQ(r.absent, (Names{"shop.gone", "nonsense"}));
}

TEST(Requests, a_request_without_tables_is_for_all) {
  const auto captured = selection();
  const auto r = resolve({.id = "x"}, captured);
  EXPECT_EQ(names(r), (Names{"shop.orders", "shop.items", "shop.people"}));
  EXPECT_TRUE(r.absent.empty());
}

}  // namespace
}  // namespace datasync::capture
