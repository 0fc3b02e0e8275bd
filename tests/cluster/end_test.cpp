// After all faults: the operators' rights, and every row.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/cluster/fixture.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/cluster/rights.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

class End : public ClusterTest {};

std::string lines(const std::set<Right>& rights) {
  std::string text;
  for (const auto& right : rights) text += "\n  " + right.text();
  return text;
}

std::set<Right> without(std::set<Right> from, const std::set<Right>& what) {
  for (const auto& right : what) from.erase(right);
  return from;
}

TEST_F(End, ADeletedResourceIsCleanedUp) {
  Story story(stage(), "a task with deletionPolicy Delete deleted");
  patch(b(), "shop", R"({"spec":{"deletionPolicy":"Delete"}})");
  EXPECT_TRUE(eventually([] { return b().resource("shop")["metadata"].contains("finalizers"); }, seconds(30)));
  b().kubectl.run({"-n", kNamespace, "delete", "datasync", "shop", "--timeout=120s"}, "", seconds(150));
  auto& recovery = scene().servers().recovery();
  EXPECT_EQ(recovery.number("SELECT COUNT(*) FROM datasync.ledger WHERE task LIKE '%shop%'"), 0);
  EXPECT_GT(recovery.number("SELECT COUNT(*) FROM shop.orders"), 0) << "rows stay";
  recovery.execute_all({"DROP TABLE shop.order_items", "DROP TABLE shop.orders", "DROP TABLE shop.places"});
  scene().apply(b(), "shop", apply_only("shop"));
  story.ends_well(seconds(90));
}

TEST_F(End, OperatorsHaveTheRightsThatTheyUseAndNoOther) {
  for (const auto& side : scene().sides()) {
    if (!side.own) GTEST_SKIP() << "a given cluster's audit log is not ours to read";
    const std::string account = "datasync-datasync-operator";
    const auto used = used_rights(side.own->audit_log(), account);
    const auto given = given_rights(side.kubectl, account);
    ASSERT_FALSE(given.empty());
    ASSERT_FALSE(used.allowed.empty());
    EXPECT_THAT(used.forbidden, testing::IsEmpty()) << "in cluster " << side.name;
    EXPECT_EQ(lines(without(given, used.allowed)), "") << "given and never used in cluster " << side.name;
    EXPECT_EQ(lines(without(used.allowed, given)), "") << "used in cluster " << side.name << ", but given elsewhere";
  }
}

TEST_F(End, EveryRowIsThereOnce) {
  auto& servers = scene().servers();
  servers.traffic().stop();
  ASSERT_TRUE(servers.catch_up(seconds(60)));
  CompareResult rows;
  // What came last may be under way still.
  const bool equal = eventually([&] { return (rows = servers.compare_all()).equal(); }, seconds(30));
  EXPECT_TRUE(equal) << rows.text();
  EXPECT_GT(rows.source_rows, 1000U);
  EXPECT_EQ(servers.repeated_audit_rows(), 0);
  fmt::print("cluster: {} transactions, {}\n", servers.traffic().committed(), rows.text());
  servers.traffic().start();
}

}  // namespace
}  // namespace datasync::test
