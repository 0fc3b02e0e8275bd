#include "agents/base/identifier.hpp"

#include <gtest/gtest.h>

namespace datasync::base {
namespace {

TEST(Identifier, FoldsAsTheServerDoes) {
  EXPECT_EQ(fold_identifier("Orders_2"), "orders_2");
  EXPECT_EQ(fold_identifier("GRÖSSE"), "grösse");
  EXPECT_EQ(fold_identifier("ЗАКАЗЫ"), "заказы");
  EXPECT_EQ(fold_identifier("\u0130d"), "id");     // I with a dot above becomes a plain i
  EXPECT_EQ(fold_identifier("\u212A"), "k");       // the Kelvin sign
  EXPECT_EQ(fold_identifier("\u1E9E"), "\u1E9E");  // capital sharp s has no lower case in the server's table
  EXPECT_EQ(fold_identifier("\u03C2"), "\u03C2");  // final sigma is not the other sigma
}

TEST(Identifier, KeepsBytesThatAreNotUtf8) {
  EXPECT_EQ(fold_identifier("A\xFFZ\xC3"), "a\xFFz\xC3");
  EXPECT_EQ(fold_identifier("\xE2\x84"), "\xE2\x84");
  EXPECT_EQ(fold_identifier("\U0001F600X"), "\U0001F600x");
  EXPECT_EQ(fold_identifier(""), "");
}

TEST(Identifier, ColumnsAreTheSameWhateverTheirCase) {
  EXPECT_TRUE(same_column("Name", "nAME"));
  EXPECT_TRUE(same_column("É", "é"));
  EXPECT_FALSE(same_column("é", "e"));
  EXPECT_FALSE(same_column("ß", "ss"));
}

TEST(Identifier, TablesFollowLowerCaseTableNames) {
  const TableNames exact(0), lower(1), compared(2);
  EXPECT_FALSE(exact.same("Orders", "orders"));
  EXPECT_NE(exact.key("Shop", "Orders"), exact.key("shop", "orders"));
  EXPECT_EQ(exact.stored("Orders"), "Orders");
  EXPECT_TRUE(lower.same("ORDERS", "orders"));
  EXPECT_EQ(lower.key("Shop", "Größe"), lower.key("sHOP", "GRÖßE"));
  EXPECT_EQ(lower.stored("Orders"), "orders");
  EXPECT_TRUE(compared.same("ORDERS", "orders"));
  EXPECT_EQ(compared.stored("Orders"), "Orders");
}

TEST(Identifier, KeysOfDifferentTablesDifferWhateverTheNamesHold) {
  EXPECT_NE(TableNames(0).key("a.b", "c"), TableNames(0).key("a", "b.c"));
}

}  // namespace
}  // namespace datasync::base
