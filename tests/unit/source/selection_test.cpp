#include "agents/source/selection.hpp"

#include <gtest/gtest.h>

namespace datasync::source {
namespace {

std::vector<config::Type> shop() {
  config::Type orders{"orders", {"shop.orders", "shop.order.items"}, {"shop.order.items.note"}, {}};
  config::Type people{"people", {"crm.people"}, {}, {{"crm.people", {"email"}}}};
  return {orders, people};
}

TEST(Selection, finds_the_type_of_a_table) {
  const auto s = Selection::make(shop(), 1);
  ASSERT_TRUE(s);
  ASSERT_NE(s->find("shop", "orders"), nullptr);
  EXPECT_EQ(s->find("shop", "orders")->type, "orders");
  EXPECT_EQ(s->find("crm", "people")->key_columns, std::vector<std::string>{"email"});
  EXPECT_EQ(s->find("crm", "orders"), nullptr);
  EXPECT_EQ(s->find("shop", "Orders"), nullptr);
}

TEST(Selection, accepts_dots_in_table_names_and_finds_the_right_columns) {
  const auto s = Selection::make(shop(), 1);
  ASSERT_TRUE(s);
  ASSERT_NE(s->find("shop", "order.items"), nullptr);
  EXPECT_EQ(s->find("shop", "order.items")->exclude, std::vector<std::string>{"note"});
  EXPECT_TRUE(s->find("shop", "orders")->exclude.empty());
}

TEST(Selection, compares_without_case_where_the_server_does) {
  const auto s = Selection::make(shop(), 1);
  ASSERT_TRUE(s);
  for (const int mode : {1, 2}) {
    const auto folded = s->as_on(base::TableNames(mode));
    ASSERT_TRUE(folded);
    ASSERT_NE(folded->find("SHOP", "Orders"), nullptr);
    EXPECT_EQ(folded->find("SHOP", "Orders")->qualified(), "shop.orders") << "messages carry the resource's name";
    EXPECT_EQ(folded->as_on(base::TableNames(0))->find("SHOP", "Orders"), nullptr);
  }
}

// Every reconnect folded the names of the selection that snapshot threads were reading.
TEST(Selection, folding_leaves_a_selection_that_others_read_as_it_is) {
  const auto s = Selection::make(shop(), 3);
  ASSERT_TRUE(s);
  const auto* orders = s->find("shop", "orders");
  const auto folded = s->as_on(base::TableNames(1));
  ASSERT_TRUE(folded);
  EXPECT_EQ(s->find("shop", "orders"), orders);
  EXPECT_EQ(s->find("SHOP", "Orders"), nullptr);
  EXPECT_EQ(folded->streams(), 3);
  EXPECT_EQ(folded->find("shop", "order.items")->exclude, std::vector<std::string>{"note"});
}

// Letters beyond ASCII were compared as bytes, and of two tables that the server takes for one the second was lost.
TEST(Selection, folds_as_the_server_does_and_refuses_colliding_tables) {
  const config::Type shop{"shop", {"shop.GRÖSSE", "shop.größe", "Shop.Orders", "shop.orders"}, {}, {}};
  const auto s = Selection::make({shop}, 1);
  ASSERT_TRUE(s);
  EXPECT_NE(s->as_on(base::TableNames(0))->find("shop", "orders"), nullptr);
  const auto folded = s->as_on(base::TableNames(1));
  ASSERT_FALSE(folded);
  EXPECT_TRUE(folded.error().is(base::Reason::ConfigInvalid));
  EXPECT_NE(folded.error().what.find("Shop.Orders and shop.orders"), std::string::npos) << folded.error().what;
  const auto one = Selection::make({config::Type{"shop", {"shop.GRÖẞE", "shop.ÄPFEL"}, {}, {}}}, 1);
  EXPECT_NE(one->as_on(base::TableNames(1))->find("SHOP", "äpfel"), nullptr);
}

TEST(Selection, names_everything_that_is_wrong) {
  auto types = shop();
  types[1].tables.push_back("shop.orders");
  types[1].tables.push_back("nodatabase");
  types[1].exclude_columns.push_back("shop.other.x");
  const auto s = Selection::make(types, 1);
  ASSERT_FALSE(s);
  EXPECT_TRUE(s.error().is(base::Reason::ConfigInvalid));
  for (const auto* part :
       {"shop.orders is named twice", "nodatabase is not of the form", "shop.other.x is not a column"})
    EXPECT_NE(s.error().what.find(part), std::string::npos) << s.error().what;
}

}  // namespace
}  // namespace datasync::source
