#include "cli/topic/record_lines.hpp"

#include <gmock/gmock.h>

#include "agents/message/row.hpp"
#include "tests/unit/cli/records.hpp"

namespace datasync::cli {
namespace {

using message::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<message::TableSchema> find_shop(message::SchemaId id) {
  return id == shop_schema().id() ? std::optional(shop_schema()) : std::nullopt;
}

std::vector<std::string> lines(Kind kind, const std::string& value, const RecordFilter& filter = {}) {
  const bool typed = kind == Kind::Change || kind == Kind::Snapshot;
  const message::Headers headers{kind, typed ? "orders" : "", message::Epoch(3), message::End::None};
  return record_lines({0, 12, headers, "", base::as_bytes(value), false}, filter, find_shop);
}

TEST(RecordLines, a_change_gives_a_line_for_each_row) {
  EXPECT_THAT(
      lines(Kind::Change, shop_change()),
      ElementsAre(R"({"partition":0,"offset":12,"kind":"change","type":"orders","epoch":3,"gtid":"0-1-5",)"
                  R"("commitTime":"2026-01-02T03:04:05.000006Z","fragment":0,"table":"shop.orders","op":"insert",)"
                  R"("after":{"id":18446744073709551615,"price":"-1.50","note":null}})",
                  R"({"partition":0,"offset":12,"kind":"change","type":"orders","epoch":3,"gtid":"0-1-5",)"
                  R"("commitTime":"2026-01-02T03:04:05.000006Z","fragment":0,"table":"shop.orders","op":"update",)"
                  R"("before":{"id":7,"price":"1.00","note":"a"},"after":{"id":8,"price":"1.00","note":"b \"c\""}})"));
}

struct FilterRow {
  const char* name;
  RecordFilter filter;
  std::size_t expected;
};
class RecordFilters : public testing::TestWithParam<FilterRow> {};
TEST_P(RecordFilters, choose_rows) {
  EXPECT_EQ(lines(Kind::Change, shop_change(), GetParam().filter).size(), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, RecordFilters,
    testing::Values(FilterRow{"its_type", {.type = "orders", .table = "", .gtid = "", .key = {}}, 2},
                    FilterRow{"another_type", {.type = "people", .table = "", .gtid = "", .key = {}}, 0},
                    FilterRow{"its_table", {.type = "", .table = "shop.orders", .gtid = "", .key = {}}, 2},
                    FilterRow{"another_table", {.type = "", .table = "shop.x", .gtid = "", .key = {}}, 0},
                    FilterRow{"its_gtid", {.type = "", .table = "", .gtid = "0-1-5", .key = {}}, 2},
                    FilterRow{"another_gtid", {.type = "", .table = "", .gtid = "0-1-6", .key = {}}, 0},
                    FilterRow{"key_before", {.type = "", .table = "", .gtid = "", .key = {{"id", "7"}}}, 1},
                    FilterRow{"key_after", {.type = "", .table = "", .gtid = "", .key = {{"id", "8"}}}, 1},
                    FilterRow{"key_of_no_row", {.type = "", .table = "", .gtid = "", .key = {{"id", "9"}}}, 0},
                    FilterRow{"null_is_no_text", {.type = "", .table = "", .gtid = "", .key = {{"note", ""}}}, 0},
                    FilterRow{"no_such_column", {.type = "", .table = "", .gtid = "", .key = {{"x", "7"}}}, 0}),
    [](const auto& row) { return row.param.name; });

TEST(RecordLines, every_other_kind_gives_one_line) {
  EXPECT_THAT(lines(Kind::Start, message::encode(message::Start{message::Epoch(3), "pod-1"})),
              ElementsAre(R"({"partition":0,"offset":12,"kind":"start","epoch":3,"instance":"pod-1"})"));
  const auto position = message::GtidSet::parse("0-1-9").value();
  EXPECT_THAT(lines(Kind::Watermark, message::encode(message::Watermark{position, 0})),
              ElementsAre(HasSubstr(R"("position":"0-1-9","sourceTime":"1970-01-01T00:00:00.000000Z")")));
  EXPECT_THAT(lines(Kind::Claim, message::encode(message::Claim{message::Epoch(4), "pod-2", 0})),
              ElementsAre(HasSubstr(R"("epoch":4,"instance":"pod-2")")));
  EXPECT_THAT(
      lines(Kind::Checkpoint, message::encode(message::Checkpoint{message::Epoch(4), 2, 77, position, position})),
      ElementsAre(HasSubstr(R"("stream":2,"streamOffset":77,"published":"0-1-9","dumpFrom":"0-1-9")")));
  EXPECT_THAT(lines(Kind::SchemaBody, message::serialize(shop_schema())),
              ElementsAre(HasSubstr(R"("table":"shop.orders","columns":[{"name":"id")")));
}

TEST(RecordLines, a_filter_for_rows_hides_what_has_no_rows) {
  const RecordFilter filter{.type = "", .table = "shop.orders", .gtid = "", .key = {}};
  EXPECT_THAT(lines(Kind::Start, message::encode(message::Start{message::Epoch(3), "pod-1"}), filter), IsEmpty());
}

TEST(RecordLines, what_cannot_be_read_is_reported_and_not_omitted) {
  EXPECT_THAT(lines(Kind::Change, "\xff\xff"), ElementsAre(HasSubstr(R"("error":)")));
  const base::Error foreign(base::Reason::ForeignMessage, "no header kind");
  EXPECT_THAT(record_lines({0, 5, foreign, "", {}, false}, {}, find_shop),
              ElementsAre(R"({"partition":0,"offset":5,"error":"no header kind"})"));
  const auto none = [](message::SchemaId) { return std::optional<message::TableSchema>(); };
  const auto value = shop_change();
  const message::Headers headers{Kind::Change, "orders", message::Epoch(3), message::End::None};
  EXPECT_THAT(record_lines({0, 12, headers, "", base::as_bytes(value), false}, {}, none),
              ElementsAre(HasSubstr("is not in the state topic")));
}

TEST(RecordLines, a_tombstone_is_shown_with_its_key) {
  const message::Headers headers{Kind::Progress, "", message::Epoch(3), message::End::None};
  EXPECT_THAT(
      record_lines({0, 5, headers, "progress/a", {}, true}, {}, find_shop),
      ElementsAre(R"({"partition":0,"offset":5,"kind":"progress","epoch":3,"key":"progress/a","tombstone":true})"));
}

}  // namespace
}  // namespace datasync::cli
