#include <gtest/gtest.h>

#include "agents/binlog/judgement.hpp"

namespace datasync::binlog {
namespace {

struct Mention {
  std::string_view sql;
  bool expected;
  std::string_view database = "shop";
  Quoting quoting = {};
};

TEST(MayConcern, FindsATableByItsName) {
  const std::vector<NamedTable> tables{{"shop", "orders"}};
  for (const auto& row : std::vector<Mention>{
           {"insert into orders values (1)", true},
           {"INSERT INTO Orders VALUES (1)", true},
           {"insert into `orders` values (1)", true},
           {"insert into shop.orders values (1)", true, "x"},
           {"insert into `shop` . `orders` values (1)", true, "x"},
           {"insert into .orders values (1)", true},
           {"insert into .`orders` values (1)", true},
           {"update a set orders.x = 1", true},
           {"insert into orders values (1)", false, "x"},
           {"insert into orders values (1)", true, ""},
           {"insert into x.orders values (1)", false},
           {"insert into a values ('orders')", false},
           {"insert into a values (1) /* orders */", false},
           {"insert into a values (1) /*! , orders */", true},
           {"insert into orders2 values (1)", false},
           {"insert into shop.a (shop) values (1)", false},
           {"delete \"orders\" from b", true, "shop", {true, false}},
           {"delete \"orders\" from b", false},
           {R"(update a set b='\'', c=1 where orders=1)", true},
           {R"(update a set b='\', c=1 where x='orders')", false, "shop", {false, true}},
           {"update a, shop.orders o set o.x=1", true, "x"},
           {"SELECT f()", true, "x"},
           {"CALL p()", true, "x"},
           {"an unknown statement", false},
           {"an unknown statement on orders", true},
           {"an unknown statement on orders", false, "x"},
           {"an unknown statement on database shop", true, "x"},
           {"an unknown statement on 'orders", true},
           {"an unknown statement on 'orders", true, "x"},
           {"an unknown statement on 'x", false, "x"},
       }) {
    StatementContext context;
    context.database = row.database;
    context.quoting = row.quoting;
    EXPECT_EQ(!may_concern(row.sql, context, tables).empty(), row.expected) << row.sql << " in " << row.database;
  }
}

TEST(MayConcern, TakesANameThatCannotBeReadAsAnyForeignName) {
  const std::vector<NamedTable> tables{{"d", "café"}, {"d", "zzz"}, {"d", "thé"}};
  StatementContext unknown{.database = "d", .charset = "koi8r"};
  EXPECT_EQ(may_concern("insert into caf\xe9 values (1)", unknown, tables), (std::vector<std::size_t>{0, 2}));
  StatementContext latin1{.database = "d", .charset = "latin1"};
  EXPECT_EQ(may_concern("insert into caf\xe9 values (1)", latin1, tables), std::vector<std::size_t>{0});
  StatementContext swe7{.database = "d", .charset = "swe7"};
  EXPECT_EQ(may_concern("truncate x", swe7, tables).size(), 3U);
  StatementContext utf8{.database = "d"};
  EXPECT_EQ(may_concern("insert into thé values (1)", utf8, tables), std::vector<std::size_t>{2});
}

TEST(Judge, AcceptsAnyBytesInLinearTime) {
  using namespace std::string_view_literals;
  const std::vector<std::string_view> parts{"`",
                                            "'",
                                            "\"",
                                            "/*",
                                            "/*!",
                                            "/*M!",
                                            "--",
                                            "#",
                                            "'\\",
                                            "a.",
                                            ".",
                                            "\0"sv,
                                            "*/",
                                            "(",
                                            ")",
                                            "a,",
                                            "ALTER TABLE a ADD (",
                                            "SET STATEMENT a=1 FOR ",
                                            "RENAME TABLE a TO b,",
                                            "a TO b, ",
                                            "a TO c,",
                                            ";"};
  for (const auto part : parts) {
    std::string sql;
    while (sql.size() < 60'000) sql += part;
    for (const char* head : {"", "ALTER TABLE a ADD c INT DEFAULT ", "RENAME TABLE ", "DROP TABLE "}) {
      for (const Quoting quoting : {Quoting{}, Quoting{true, true, true}}) {
        const StatementContext context{.database = "d", .quoting = quoting};
        (void)judge(head + sql, context);
        (void)may_concern(head + sql, context, std::vector<NamedTable>{{"d", "t"}, {"e", "größe"}});
      }
    }
  }
}

}  // namespace
}  // namespace datasync::binlog
