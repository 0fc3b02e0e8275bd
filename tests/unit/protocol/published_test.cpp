#include <gtest/gtest.h>

#include "agents/protocol/capture_epoch.hpp"
#include "tests/unit/protocol/records.hpp"

namespace datasync::protocol {
namespace {

using message::End;
using message::Kind;

base::Result<void> change(PublishedFold& fold, const message::Gtid& g, End end) {
  return fold.take(change_headers(1, end), base::as_bytes(change_value(g)));
}
base::Result<void> watermark(PublishedFold& fold, const message::GtidSet& position) {
  return fold.take({Kind::Watermark, "", message::Epoch(1), End::None},
                   base::as_bytes(message::encode(message::Watermark{position, 0})));
}

TEST(PublishedFold, counts_a_transaction_at_its_last_fragment_only) {
  PublishedFold fold(set_of({gtid(9)}));
  ASSERT_TRUE(change(fold, gtid(10), End::None));
  ASSERT_TRUE(change(fold, gtid(10), End::Group));
  EXPECT_EQ(fold.published(), set_of({gtid(9)}));
  ASSERT_TRUE(change(fold, gtid(10), End::Transaction));
  EXPECT_EQ(fold.published(), set_of({gtid(10)}));
}

TEST(PublishedFold, an_aborted_transaction_publishes_nothing) {
  PublishedFold fold(set_of({gtid(9)}));
  ASSERT_TRUE(change(fold, gtid(10), End::None));
  ASSERT_TRUE(change(fold, gtid(10), End::Abort));
  EXPECT_EQ(fold.published(), set_of({gtid(9)}));
}

TEST(PublishedFold, a_watermark_unites_and_never_takes_back) {
  PublishedFold fold(set_of({gtid(9)}));
  ASSERT_TRUE(watermark(fold, set_of({gtid(7), gtid(3, 2)})));
  EXPECT_EQ(fold.published(), set_of({gtid(9), gtid(3, 2)}));
}

TEST(PublishedFold, snapshot_rows_publish_no_gtid) {
  PublishedFold fold({});
  EXPECT_TRUE(fold.fresh());
  ASSERT_TRUE(fold.take({Kind::Snapshot, "t", message::Epoch(1), End::Group}, {}));
  EXPECT_TRUE(fold.published().empty());
  EXPECT_FALSE(fold.fresh());
}

TEST(PublishedFold, a_schema_note_that_ends_its_transaction_counts) {
  PublishedFold fold({});
  message::SchemaNote note;
  note.gtid = gtid(4);
  ASSERT_TRUE(
      fold.take({Kind::Schema, "t", message::Epoch(1), End::Transaction}, base::as_bytes(message::encode(note))));
  EXPECT_EQ(fold.published(), set_of({gtid(4)}));
}

TEST(PublishedFold, the_first_watermark_of_a_new_stream_is_where_its_dump_began) {
  PublishedFold fold({});
  ASSERT_TRUE(watermark(fold, set_of({gtid(100)})));
  ASSERT_TRUE(change(fold, gtid(101), End::Transaction));
  ASSERT_TRUE(watermark(fold, set_of({gtid(105)})));
  EXPECT_EQ(fold.dump_from(), set_of({gtid(100)}));
  EXPECT_EQ(fold.published(), set_of({gtid(105)}));
}

TEST(PublishedFold, keeps_the_dump_position_of_its_checkpoint) {
  PublishedFold fold(set_of({gtid(50)}), set_of({gtid(40)}));
  ASSERT_TRUE(watermark(fold, set_of({gtid(60)})));
  EXPECT_EQ(fold.dump_from(), set_of({gtid(40)}));
}

TEST(PublishedFold, foreign_bytes_are_an_error_not_a_position) {
  PublishedFold fold({});
  const auto taken = fold.take(change_headers(1, End::Transaction), base::as_bytes("rubbish"));
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().is(base::Reason::ForeignMessage));
}

}  // namespace
}  // namespace datasync::protocol
