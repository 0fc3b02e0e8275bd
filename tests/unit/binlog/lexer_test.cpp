#include "agents/binlog/lexer.hpp"

#include <gtest/gtest.h>

namespace datasync::binlog {
namespace {

TEST(WithoutValues, shows_no_value_of_a_statement) {
  EXPECT_EQ(without_values("UPDATE `shop`.customers SET password_hash='s3cret', n = -17, x=0xCAFE /* note */ WHERE "
                           "id IN (1,2)",
                           {}),
            "UPDATE `shop`.customers SET password_hash = ?, n = - ?, x = ? WHERE id IN (?, ?)");
  EXPECT_EQ(without_values("SET a = \"s3cret\", b = 'never closed", {}), "SET a ...");
}

// One that is not read to its end showed what followed a quote that was taken for the end of a string.
TEST(WithoutValues, shows_only_the_first_words_of_what_is_not_read_to_its_end) {
  EXPECT_EQ(without_values("UPDATE shop.orders SET a='x', s3cret, c='", {}), "UPDATE shop.orders SET a ...");
  EXPECT_EQ(without_values("INSERT INTO t VALUES ('x', s3cret /* ", {}), "INSERT INTO t VALUES ...");
  EXPECT_EQ(first_words("/* s3cret */ UPDATE t"), "...");
  EXPECT_EQ(first_words("UPDATE  t SET n='s3cret'"), "UPDATE  t SET n ...");
  EXPECT_EQ(first_words(""), "...");
}

TEST(WithoutValues, ends_after_so_many_bytes_but_reads_it_all) {
  EXPECT_EQ(without_values("UPDATE t SET a = 'x', b = 'y'", {}, "utf8mb4", nullptr, 10), "UPDATE t SET");
  EXPECT_EQ(without_values("UPDATE t SET a = 'x', b = 'y", {}, "utf8mb4", nullptr, 10), "UPDATE t SET a ...");
}

TEST(WithoutValues, shows_no_value_that_a_character_of_two_bytes_seems_to_end) {
  // In GBK the quote's escape is the second byte of a character.
  EXPECT_EQ(without_values("UPDATE t SET a='\x95\\', b='s3cret', c=''", {}, "gbk"), "UPDATE t SET a = ?, b = ?, c = ?");
}

TEST(WithoutValues, is_utf8_whatever_the_client_speaks) {
  EXPECT_EQ(without_values("TRUNCATE gr\xF6\xDF", {}, "latin1"), "TRUNCATE gr??");
  EXPECT_EQ(without_values("TRUNCATE größe", {}), "TRUNCATE größe");
}

TEST(Lexer, accepts_any_bytes) {
  for (const std::string sql :
       {"`", "'", "\"", "/*", "/*!", "/*M!", "--", "#", "'\\", "a.", ".", "\0", "*/", "truncate `a", "xa"}) {
    Lexer lexer(sql, {});
    int n = 0;
    while (lexer.next().kind != Token::Kind::End) ASSERT_LT(++n, 100) << sql;
  }
}

TEST(Quoting, comes_from_sql_mode) {
  EXPECT_TRUE(Quoting::of(0x4).ansi_quotes);
  EXPECT_FALSE(Quoting::of(0x4).no_backslash_escapes);
  EXPECT_TRUE(Quoting::of(0x100000).no_backslash_escapes);
}

}  // namespace
}  // namespace datasync::binlog
