// The traffic of the fault tests keeps what it says it keeps, and the checks see when something breaks it.

#include "tests/support/workload.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

TEST(Workload, KeepsTheSumWhileAReplicaFollowsAndEveryReadIsWhole) {
  const TempDir dir;
  MariaDbServer primary(dir.path(), {.name = "primary"});
  MariaDbServer replica(dir.path(), {.name = "replica", .read_only = true});
  replica.replicate_from(primary);
  const WorkloadOptions options{.seed = 7, .clients = 3};
  Workload::create(primary, options);
  replica.wait_for_gtid(primary.gtid());

  Workload workload(primary.port(), options);
  const auto total = workload.bank_total();
  ReaderCheck reader(replica.port(), "shop.accounts", options.accounts, total);
  workload.run(1500);
  replica.wait_for_gtid(primary.gtid());
  EXPECT_TRUE(eventually([&] { return reader.reads() > 0; }, milliseconds(10000)));
  reader.stop();

  EXPECT_EQ(reader.violations(), 0U) << reader.first_violation();
  EXPECT_EQ(primary.number("SELECT SUM(balance) FROM shop.accounts"), total);
  EXPECT_GT(workload.rolled_back(), 0U);
  EXPECT_LT(workload.failed(), workload.committed() / 10);
  auto source = primary.connect();
  auto destination = replica.connect();
  std::vector<TablePair> pairs;
  for (const auto& table : Workload::tables("shop")) pairs.push_back({.source = table, .destination = ""});
  const auto found = compare(source, destination, pairs);
  EXPECT_TRUE(found.equal()) << found.text();
  EXPECT_GT(found.source_rows, 2000U);
}

TEST(Workload, ContinuesAfterTheServerWasKilled) {
  const TempDir dir;
  MariaDbServer server(dir.path(), {});
  const WorkloadOptions options{.per_second = 500};
  Workload::create(server, options);
  Workload workload(server.port(), options);
  workload.start();
  ASSERT_TRUE(eventually([&] { return workload.committed() > 20; }, milliseconds(20000)));
  server.kill();
  server.start();
  const auto before = workload.committed();
  EXPECT_TRUE(eventually([&] { return workload.committed() > before + 20; }, milliseconds(20000)));
  workload.stop();
  EXPECT_GT(workload.failed(), 0U);
  EXPECT_EQ(server.number("SELECT SUM(balance) FROM shop.accounts"), workload.bank_total());
}

TEST(ReaderCheck, DetectsATransferThatIsHalfDone) {
  const TempDir dir;
  MariaDbServer server(dir.path(), {});
  Workload::create(server, {});
  ReaderCheck reader(server.port(), "shop.accounts", 200, 200000);
  server.execute("UPDATE shop.accounts SET balance = balance - 1 WHERE id = 1");
  EXPECT_TRUE(eventually([&] { return reader.violations() > 0; }, milliseconds(10000)));
  EXPECT_EQ(reader.first_violation(), "rows and sum of balances are 200 / 199999, not 200 / 200000");
}

TEST(RepeatedAuditRows, CountsRowsThatExistTwice) {
  const TempDir dir;
  MariaDbServer server(dir.path(), {});
  Workload::create_unguarded_audit(server, "shop");
  server.execute("INSERT INTO shop.audit VALUES (1, 0, 'a', NOW()), (2, 0, 'b', NOW()), (2, 0, 'b', NOW())");
  auto session = server.connect();
  EXPECT_EQ(repeated_audit_rows(session, "shop"), 1);
}

}  // namespace
}  // namespace datasync::test
