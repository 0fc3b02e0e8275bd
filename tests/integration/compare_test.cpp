// The oracle must see every difference a table can have, and none where there is none.

#include "tests/support/compare.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

constexpr const char* kColumns =
    "id INT, txt VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci, bin VARBINARY(20), f FLOAT, d DOUBLE, "
    "dec1 DECIMAL(65,30), b BIT(64), e ENUM('a','A1','b'), s SET('x','y'), ts TIMESTAMP(6) NULL, dt DATETIME(3), t "
    "TIME(6), "
    "y YEAR, j JSON, u UUID, i INET6, g GEOMETRY, hidden INT INVISIBLE DEFAULT 5, big BIGINT UNSIGNED, day DATE";
constexpr const char* kRow =
    "(1, 'a', 'a', 0.1, 0.1, 1.000000000000000000000000000001, 18446744073709551615, 'a', 'x', '2024-02-03 "
    "04:05:06.123456', "
    "'0000-00-00 00:00:00', '-838:59:59.999999', 0, '{}', '00000000-0000-0000-0000-000000000001', '::1', POINT(1, 2), "
    "18446744073709551615, '0000-00-00')";

class CompareTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>();
    server_ = std::make_unique<MariaDbServer>(dir_->path(), MariaDbOptions{});
  }
  static void TearDownTestSuite() {
    server_.reset();
    dir_.reset();
  }

  void SetUp() override {
    server_->execute_all(
        {"DROP DATABASE IF EXISTS a", "DROP DATABASE IF EXISTS b", "CREATE DATABASE a", "CREATE DATABASE b"});
  }

  static void both(const std::string& definition) {
    server_->execute_all({"CREATE TABLE a.t (" + definition + ")", "CREATE TABLE b.t (" + definition + ")"});
  }

  static CompareResult result(TablePair pair = {.source = "a.t", .destination = "b.t"}) {
    auto source = server_->connect();
    auto destination = server_->connect();
    return compare(source, destination, {std::move(pair)});
  }

  static std::unique_ptr<TempDir> dir_;
  static std::unique_ptr<MariaDbServer> server_;
};

std::unique_ptr<TempDir> CompareTest::dir_;
std::unique_ptr<MariaDbServer> CompareTest::server_;

TEST_F(CompareTest, FindsEqualTablesEqual) {
  both(std::string(kColumns) + ", PRIMARY KEY (id)");
  for (const char* table : {"a.t", "b.t"}) {
    server_->execute(std::string("INSERT INTO ") + table + " VALUES " + kRow);
    server_->execute(std::string("INSERT INTO ") + table + " (id) VALUES (2), (3)");
  }
  const auto found = result();
  EXPECT_TRUE(found.equal()) << found.text();
  EXPECT_EQ(found.source_rows, 3U);
  EXPECT_EQ(found.destination_rows, 3U);
}

TEST_F(CompareTest, SeesAChangeInEveryColumnAndNullIsNoValue) {
  const std::vector<std::string> changes{"txt='A'",
                                         "txt='a '",
                                         "txt=NULL",
                                         "bin=X'6100'",
                                         "f=0.10000001",
                                         "d=0.10000000000000002",
                                         "b=b - 1",
                                         "e='A1'",
                                         "e=0",
                                         "s='x,y'",
                                         "s=''",
                                         "dec1=1",
                                         "dt='0000-00-01'",
                                         "ts='2024-02-03 04:05:06.123457'",
                                         "t='838:59:59'",
                                         "y=2001",
                                         "j='{ }'",
                                         "u='00000000-0000-0000-0000-000000000002'",
                                         "i='::2'",
                                         "g=POINT(1, 3)",
                                         "hidden=6",
                                         "big=18446744073709551614",
                                         "day='0000-01-00'"};
  both(std::string(kColumns) + ", PRIMARY KEY (id)");
  for (const auto& change : changes) {
    server_->execute_all({"DELETE FROM a.t", "DELETE FROM b.t", std::string("INSERT INTO a.t VALUES ") + kRow,
                          std::string("INSERT INTO b.t VALUES ") + kRow, "UPDATE IGNORE b.t SET " + change});
    const auto found = result();
    EXPECT_EQ(found.changed, 1U) << change << "\n" << found.text();
    EXPECT_EQ(found.lost + found.duplicated, 0U) << change;
  }
}

TEST_F(CompareTest, CountsLostRowsAndRowsTooMany) {
  both("id INT PRIMARY KEY, v INT");
  server_->execute_all(
      {"INSERT INTO a.t VALUES (1, 1), (2, 2), (4, 4)", "INSERT INTO b.t VALUES (1, 1), (3, 3), (4, 5)"});
  const auto found = result();
  EXPECT_EQ(found.lost, 1U);
  EXPECT_EQ(found.duplicated, 1U);
  EXPECT_EQ(found.changed, 1U);
  EXPECT_EQ(found.differences.size(), 3U);
  EXPECT_FALSE(found.equal());
}

TEST_F(CompareTest, SeesARepeatedRowWhereTheDestinationHasNoKey) {
  server_->execute_all({"CREATE TABLE a.t (seq BIGINT PRIMARY KEY, v INT)", "CREATE TABLE b.t (seq BIGINT, v INT)",
                        "INSERT INTO a.t VALUES (1, 1), (2, 2)", "INSERT INTO b.t VALUES (1, 1), (2, 2), (2, 2)"});
  EXPECT_EQ(result().duplicated, 1U);
}

TEST_F(CompareTest, ComparesTablesWithoutAnyKeyAsBags) {
  both("v INT");
  server_->execute_all({"INSERT INTO a.t VALUES (1), (1), (NULL)", "INSERT INTO b.t VALUES (NULL), (1), (1)"});
  EXPECT_TRUE(result().equal());
  server_->execute("DELETE FROM b.t WHERE v = 1 LIMIT 1");
  EXPECT_EQ(result().lost, 1U);
}

TEST_F(CompareTest, LeavesOutIgnoredColumnsAndNamesMissingOnes) {
  server_->execute_all({"CREATE TABLE a.t (id INT PRIMARY KEY, secret INT)", "CREATE TABLE b.t (id INT PRIMARY KEY)",
                        "INSERT INTO a.t VALUES (1, 1)", "INSERT INTO b.t VALUES (1)"});
  EXPECT_EQ(result().differences, std::vector<std::string>{"a.t: the destination lacks column secret"});
  EXPECT_TRUE(result({.source = "a.t", .destination = "b.t", .ignored_columns = {"secret"}}).equal());
  EXPECT_EQ(result({.source = "a.t", .destination = "b.none"}).differences,
            std::vector<std::string>{"b.none: no such table at the destination"});
}

TEST_F(CompareTest, ComparesCharactersAcrossCharacterSetsWhenAsked) {
  server_->execute_all({"CREATE TABLE a.t (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET latin1)",
                        "CREATE TABLE b.t (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET utf8mb4)",
                        "INSERT INTO a.t VALUES (1, 'é')", "INSERT INTO b.t VALUES (1, 'é')"});
  EXPECT_EQ(result().changed, 1U);
  EXPECT_TRUE(result({.source = "a.t", .destination = "b.t", .ignored_columns = {}, .text_as_utf8 = true}).equal());
}

TEST_F(CompareTest, SharesOutManyRowsWithoutMissingOne) {
  both("id INT PRIMARY KEY, v VARCHAR(20)");
  for (const char* table : {"a.t", "b.t"}) {
    server_->execute(std::string("INSERT INTO ") + table + " SELECT seq, CONCAT('v', seq) FROM mysql.seq_1_to_250000");
  }
  EXPECT_TRUE(result().equal());
  server_->execute_all({"DELETE FROM b.t WHERE id = 249999", "UPDATE b.t SET v = 'x' WHERE id = 7"});
  const auto found = result();
  EXPECT_EQ(found.lost, 1U);
  EXPECT_EQ(found.changed, 1U);
}

}  // namespace
}  // namespace datasync::test
