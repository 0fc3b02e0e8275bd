// Memory stays bounded, whatever the size of a transaction or the length of an outage. DATASYNC_OUTAGE_SECONDS sets how
// long the broker is away (60 in the full run).

#include <cstdlib>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/workload.hpp"

namespace datasync::test {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kCaptureLimit = 128 * kMiB;
constexpr std::uint64_t kApplyLimit = 256 * kMiB;

int outage_seconds() {
  const char* text = std::getenv("DATASYNC_OUTAGE_SECONDS");
  return text != nullptr && *text != '\0' ? std::atoi(text) : 15;
}

class Memory : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture_ = new Fixture({});
    fixture_->source().execute_all(
        {"CREATE DATABASE big",
         "CREATE TABLE big.rows (id INT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL)"});
    Workload::create(fixture_->source(), workload());
    auto capture = fixture_->capture_config(
        {{.name = "big", .tables = {"big.rows"}}, {.name = "shop", .tables = Workload::tables("shop")}});
    capture.watchdog = seconds(10);  // the server is silent while it reads an event of hundreds of megabytes
    fixture_->start_capture(capture);
    fixture_->start_apply(fixture_->apply_config("memory"));
  }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  static WorkloadOptions workload() { return {.database = "shop", .clients = 2}; }

  static testing::AssertionResult all_there(const std::string& condition) {
    return fixture_->eventually_value(fixture_->destination(), "SELECT COUNT(*) FROM big.rows WHERE " + condition,
                                      fixture_->source().value("SELECT COUNT(*) FROM big.rows WHERE " + condition),
                                      seconds(240));
  }
  static void expect_within_limits() {
    const auto capture = fixture_->capture().process().peak_resident_bytes();
    const auto apply = fixture_->apply().process().peak_resident_bytes();
    std::printf("VmHWM: capture %.1f MiB, apply %.1f MiB\n", static_cast<double>(capture) / kMiB,
                static_cast<double>(apply) / kMiB);
    EXPECT_GT(capture, 0U);
    EXPECT_GT(apply, 0U);
    EXPECT_LE(capture, kCaptureLimit);
    EXPECT_LE(apply, kApplyLimit);
  }

  static inline Fixture* fixture_ = nullptr;
};

TEST_F(Memory, IsBoundedThroughATransactionOfAMillionRows) {
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", ""));
  fixture_->source().execute(
      "INSERT INTO big.rows SELECT seq, seq, REPEAT('c', 120), REPEAT('p', 60) FROM mysql.seq_1_to_1000000");
  EXPECT_TRUE(all_there("k = id"));
  expect_within_limits();
  fixture_->source().execute("UPDATE big.rows SET k = k + 1 WHERE id <= 300000");
  EXPECT_TRUE(all_there("k = id + 1"));
  fixture_->source().execute("DELETE FROM big.rows WHERE id > 500");
  EXPECT_TRUE(all_there("1 = 1"));
  EXPECT_TRUE(fixture_->becomes_equal({{"big.rows", ""}}));
  expect_within_limits();
}

TEST_F(Memory, IsBoundedThroughABrokerOutageUnderLoad) {
  Workload traffic(fixture_->source().port(), workload());
  traffic.start();
  std::this_thread::sleep_for(seconds(2));
  fixture_->broker().kill();
  std::this_thread::sleep_for(seconds(2));
  // More than all the queues hold.
  fixture_->source().execute(
      "INSERT INTO big.rows SELECT seq, seq, REPEAT('c', 120), REPEAT('p', 60) FROM mysql.seq_2000001_to_2400000");
  std::this_thread::sleep_for(seconds(outage_seconds()));
  expect_within_limits();
  fixture_->broker().start();
  traffic.stop();
  std::vector<TablePair> pairs{{"big.rows", ""}};
  for (const auto& table : Workload::tables("shop")) pairs.push_back({table, ""});
  EXPECT_TRUE(all_there("id > 2000000"));
  EXPECT_TRUE(fixture_->becomes_equal(pairs, seconds(120)));
  expect_within_limits();
}

// What stands in the binlog is held whole only when its table is captured.
TEST_F(Memory, IsBoundedWhateverTablesThatAreNotCapturedHold) {
  fixture_->source().execute_all(
      {"CREATE DATABASE other", "CREATE TABLE other.t (id INT, b LONGBLOB) ENGINE=Aria",
       "INSERT INTO other.t VALUES (1, REPEAT('x', 150000000))", "SET GLOBAL log_bin_compress = ON",
       "INSERT INTO other.t VALUES (3, REPEAT('y', 150000000))", "SET GLOBAL log_bin_compress = OFF"});
  fixture_->source().execute("INSERT INTO big.rows VALUES (0, 0, 'after', 'them')");
  EXPECT_TRUE(all_there("id = 0"));
  EXPECT_TRUE(fixture_->becomes_equal({{"big.rows", ""}}));
  expect_within_limits();
}

/// An environment of its own for rows as large as the rule of docs/operate.md allows.
class HugeRows : public testing::Test {
 protected:
  static constexpr std::uint64_t kLimit = 256 * kMiB;
  static constexpr std::uint64_t kLargest = 40 * kMiB;  // (256 - 96) / 4

  static void SetUpTestSuite() {
    fixture_ = new Fixture({});
    fixture_->source().execute_all({"CREATE DATABASE huge", "CREATE TABLE huge.t (id INT PRIMARY KEY, b LONGBLOB)"});
    insert(1, kLargest - kMiB);
    insert(2, kLargest - kMiB);
    const auto capture = fixture_->capture_config({{.name = "huge", .tables = {"huge.t"}}}, "huge");
    setenv("DATASYNC_MEMORY_LIMIT_BYTES", std::to_string(kLimit).c_str(), 1);  // NOLINT: no other thread
    fixture_->start_capture(capture);
    unsetenv("DATASYNC_MEMORY_LIMIT_BYTES");  // NOLINT
  }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  static void insert(int id, std::uint64_t bytes) {
    fixture_->source().execute(fmt::format("INSERT INTO huge.t VALUES ({}, REPEAT('{}', {}))", id, id % 10, bytes));
  }
  static void expect_within_limit() {
    const auto peak = fixture_->capture().process().peak_resident_bytes();
    std::printf("VmHWM: capture %.1f MiB\n", static_cast<double>(peak) / kMiB);
    EXPECT_GT(peak, 0U);
    EXPECT_LE(peak, kLimit);
  }
  static inline Fixture* fixture_ = nullptr;
};

TEST_F(HugeRows, CopiedAndStreamedStayWithinTheLimitAndLargerOnesAreNamed) {
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Streaming", "", seconds(60)));
  expect_within_limit();
  for (int id = 3; id <= 5; ++id) insert(id, kLargest - kMiB);
  fixture_->start_apply(fixture_->apply_config("huge", "huge"));
  EXPECT_TRUE(fixture_->becomes_equal({{"huge.t", ""}}, seconds(120)));
  expect_within_limit();
  insert(6, kLargest + kMiB);
  ASSERT_TRUE(fixture_->becomes(fixture_->capture(), "Stalled", "RowTooLarge"));
  const auto status = fixture_->capture().status();
  EXPECT_NE(status->message.find("huge.t"), std::string::npos) << status->message;
  EXPECT_NE(status->message.find("limits.memory"), std::string::npos) << status->message;
  expect_within_limit();
}

}  // namespace
}  // namespace datasync::test
