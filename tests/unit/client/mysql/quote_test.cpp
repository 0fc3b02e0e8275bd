#include <gtest/gtest.h>

#include "agents/client/mysql/connection.hpp"

namespace datasync::sql {
namespace {

TEST(Quote, an_identifier_doubles_its_backticks) {
  EXPECT_EQ(quote_identifier("plain"), "`plain`");
  EXPECT_EQ(quote_identifier("a`b``"), "`a``b`````");
  EXPECT_EQ(quote_identifier(""), "``");
  EXPECT_EQ(quote_identifier("ta\"b le'"), "`ta\"b le'`");
}

TEST(Quote, database_and_table_are_quoted_apart) {
  EXPECT_EQ(quote_identifier("a.b", "c`d"), "`a.b`.`c``d`");
}

TEST(Quote, text_doubles_single_quotes_and_leaves_backslashes) {
  EXPECT_EQ(quote_text("it's"), "'it''s'");
  EXPECT_EQ(quote_text("\\'"), "'\\'''");
  EXPECT_EQ(quote_text(""), "''");
}

}  // namespace
}  // namespace datasync::sql
