// A topic that loses records: the agents say so, and no try changes what the next one finds.

#include <csignal>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/integration/exactly_once_fixture.hpp"
#include "tests/support/open_transactions.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;

/// A batch of records in a log segment: the offsets it covers and its bytes in the file.
struct Batch {
  std::int64_t first = 0, last = 0;
  std::size_t at = 0, size = 0;
};

template <class Number>
Number big_endian(const std::string& bytes, std::size_t at) {
  std::make_unsigned_t<Number> value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    value = static_cast<std::make_unsigned_t<Number>>(value << 8U | static_cast<unsigned char>(bytes.at(at + i)));
  return static_cast<Number>(value);
}

std::vector<Batch> batches(const std::string& bytes) {
  constexpr std::size_t kHead = 12, kLastOffsetDelta = 23;
  std::vector<Batch> out;
  for (std::size_t at = 0; at + kHead <= bytes.size();) {
    const auto first = big_endian<std::int64_t>(bytes, at);
    const auto size = kHead + static_cast<std::size_t>(big_endian<std::int32_t>(bytes, at + 8));
    out.push_back({first, first + big_endian<std::int32_t>(bytes, at + kLastOffsetDelta), at, size});
    at += size;
  }
  return out;
}

class TopicLosses : public ExactlyOnce {
 protected:
  /// What a broker has of the topic after a power loss, or another one that was behind and became leader: `change`
  /// gets the bytes of the first partition's log.
  template <class Change>
  void change_log(Change change) {
    fixture_->broker().stop();
    const auto folder = fixture_->broker().folder() / "data" / (name_ + "-0");
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto ending = entry.path().extension();
      if (ending == ".log") {
        auto bytes = read_file(entry.path());
        change(bytes);
        std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << bytes;
      } else if (ending == ".index" || ending == ".timeindex" || ending == ".snapshot") {
        std::filesystem::remove(entry.path());  // the broker makes them again
      }
    }
    std::filesystem::remove(fixture_->broker().folder() / "data" / ".kafka_cleanshutdown");
    fixture_->broker().start();
  }
  /// The newest records are lost, at least so many.
  void cut(std::int64_t records) {
    change_log([&](std::string& bytes) {
      const auto all = batches(bytes);
      ASSERT_FALSE(all.empty());
      const auto end = all.back().last + 1;
      for (auto at = all.rbegin(); at != all.rend(); ++at)
        if (end - at->first >= records) return bytes.resize(at->at);
      FAIL() << "the log has less than " << records << " records";
    });
  }

  /// Both agents have worked; then the transactions 101 to 110 came one by one, and capture ended in peace.
  void publish_and_stop() {
    fixture_->start_capture(capture("one"));
    fixture_->start_apply(apply("one"));
    ASSERT_TRUE(equal());
    for (int i = 101; i <= 110; ++i) add_rows(i, 1);
    ASSERT_TRUE(equal());
    fixture_->capture().process().terminate();
    fixture_->apply().process().terminate();
  }

  /// Capture is refused at every try and after every restart, and leaves nothing behind.
  void expect_refused_without_a_trace() {
    const auto end = ends().high;
    const auto before = claims("one");
    for (int i = 0; i < 3; ++i) {
      auto& agent = fixture_->start_capture(capture("one"));
      ASSERT_TRUE(fixture_->becomes(agent, "Stalled", "LogTruncated"));
      EXPECT_THAT(agent.status().value_or(AgentStatus{}).message, HasSubstr("begin again with another channel.topic"));
      fixture_->forget(agent);
    }
    EXPECT_EQ(ends().high, end) << "a refused try appended to the topic";
    EXPECT_EQ(claims("one"), before) << "a refused try claimed an epoch";
  }

  /// What the message recommends.
  void begin_again_with_another_topic() {
    fixture_->end_agents();
    fixture_->destination().execute("DELETE FROM " + table());
    auto source = capture("one");
    auto destination = apply("one");
    source.common.channel.topic = destination.common.channel.topic = name_ + "_2";
    fixture_->start_capture(source);
    fixture_->start_apply(destination);
    EXPECT_TRUE(equal());
  }
};

// Streaming after 37 s, and the lost changes were never published again: 64 rows at the source, 55 to 60 at the
// destination.
TEST_F(TopicLosses, RecordsThatTheBrokerLostAreNeverSkipped) {
  prepare("tail_lost");
  publish_and_stop();
  cut(5);
  expect_refused_without_a_trace();
  auto& reader = fixture_->start_apply(apply("one"));
  EXPECT_TRUE(fixture_->becomes(reader, "Stalled", "LogTruncated"));
  begin_again_with_another_topic();
}

TEST_F(TopicLosses, ATopicThatHasGrownBackIsNotMistakenForTheOldOne) {
  prepare("grown_back");
  publish_and_stop();
  const auto end = ends().high;
  cut(5);
  {
    // What agents of an earlier version left at each try.
    const auto config = capture("one");
    const auto access = kafka::access(config.common.channel, config.common.secrets_dir).value();
    const auto log = kafka::open_stream_log(access, name_).value();
    for (std::uint64_t epoch = 50; ends().high < end + 3; ++epoch) {
      const message::Headers headers{message::Kind::Start, "", message::Epoch(epoch), message::End::None};
      ASSERT_TRUE(log->append(0, headers, message::encode(message::Start{message::Epoch(epoch), "old"})));
    }
  }
  expect_refused_without_a_trace();
  auto& reader = fixture_->start_apply(apply("one"));
  EXPECT_TRUE(fixture_->becomes(reader, "Stalled", "LedgerInvalid"));
  begin_again_with_another_topic();
}

TEST_F(TopicLosses, ADataTopicRecreatedWhileCaptureWasStoppedIsDetected) {
  prepare("made_again");
  publish_and_stop();
  fixture_->broker().delete_topic("made_again");
  fixture_->broker().create_topic("made_again");
  expect_refused_without_a_trace();
  begin_again_with_another_topic();
}

// Offsets with a hole passed unseen.
TEST_F(TopicLosses, RecordsThatAreMissingInTheMiddleAreDetected) {
  prepare("hole");
  fixture_->start_capture(capture("one"));
  {
    auto& reader = fixture_->start_apply(apply("one"));
    ASSERT_TRUE(equal());
    reader.process().terminate();
  }
  const auto begin = ends().high;
  for (int i = 101; i <= 110; ++i) {
    add_rows(i, 1);
    ASSERT_TRUE(eventually([&] { return ends().high > begin + i - 101; }, seconds(30)));
  }
  fixture_->capture().process().terminate();
  std::int64_t first = 0, last = 0;
  change_log([&](std::string& bytes) {
    const auto all = batches(bytes);
    ASSERT_GT(all.size(), 6U);
    const auto& gone = all.at(all.size() - 5);
    ASSERT_GE(gone.first, begin);
    first = gone.first;
    last = gone.last;
    bytes.erase(gone.at, gone.size);
  });
  auto& reader = fixture_->start_apply(apply("one"));
  ASSERT_TRUE(fixture_->becomes(reader, "Stalled", "OffsetExpired"));
  EXPECT_THAT(reader.status().value_or(AgentStatus{}).message,
              HasSubstr(fmt::format("the records at the offsets {} to {} were removed", first, last)));
  begin_again_with_another_topic();
}

// Capture was stopped inside a large transaction, and the destination's transaction stayed open for days.
TEST_F(TopicLosses, ACaptureThatIsStoppedInsideALargeTransactionAbortsIt) {
  prepare("stopped_inside");
  auto slow = capture("one");
  slow.max_in_flight_bytes = 1U << 20U;
  slow.record_bytes = 1024;
  auto& publisher = fixture_->start_capture(slow);
  fixture_->start_apply(apply("one"));
  ASSERT_TRUE(equal());
  const auto begin = ends().high;
  add_rows(1000, 400'000);
  // It is held within the transaction, which has thousands of records, until the destination has got part of it.
  ASSERT_TRUE(eventually([&] { return ends().high > begin + 100; }, seconds(60))) << fixture_->diagnostics();
  publisher.process().freeze();
  const auto open = [&] { return open_transactions(fixture_->destination(), 500); };
  ASSERT_TRUE(eventually([&] { return open() > 0; }, seconds(15))) << fixture_->diagnostics();
  ASSERT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM " + table()), 3) << "it was whole before the stop";
  publisher.process().thaw();
  const auto end = publisher.process().terminate();
  EXPECT_EQ(end.code, 0);
  // Capture says that it is void; without that it would be rolled back only 20 s later.
  EXPECT_TRUE(eventually([&] { return open() == 0; }, seconds(15))) << fixture_->diagnostics();
  EXPECT_EQ(fixture_->destination().number("SELECT COUNT(*) FROM " + table()), 3);
  publisher.start();
  EXPECT_TRUE(fixture_->eventually_equal({{table(), ""}}, seconds(120)));
}

// Each try of a row that is too large began a new epoch.
TEST_F(TopicLosses, ARowThatIsTooLargeStartsNoEpochAtEachRetry) {
  prepare("too_large");
  fixture_->broker().create_topic("too_large", 1, {{"max.message.bytes", "100000"}});
  fixture_->source().execute("ALTER TABLE too_large.t ADD big LONGTEXT");
  auto& publisher = fixture_->start_capture(capture("one"));
  fixture_->start_apply(apply("one"));
  ASSERT_TRUE(equal());
  fixture_->source().execute("INSERT INTO too_large.t VALUES (200, 'x', REPEAT('y', 300000))");
  ASSERT_TRUE(fixture_->becomes(publisher, "Stalled", "RowTooLarge"));
  const auto before = claims("one");
  std::this_thread::sleep_for(seconds(9));
  EXPECT_EQ(claims("one"), before);
  EXPECT_TRUE(fixture_->becomes(publisher, "Stalled", "RowTooLarge"));
  fixture_->broker().alter_topic("too_large", {{"max.message.bytes", "1000000"}});
  EXPECT_TRUE(equal());
}

}  // namespace
}  // namespace datasync::test
