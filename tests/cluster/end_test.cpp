// After all faults: every row.

#include <fmt/format.h>

#include "tests/cluster/fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

class End : public ClusterTest {};

TEST_F(End, EveryRowExistsOnce) {
  auto& servers = environment().servers();
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
