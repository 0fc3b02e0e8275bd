#include "agents/binlog/row_encoder.hpp"

#include <random>

#include <gtest/gtest.h>

#include "tests/unit/binlog/binlog_file.hpp"
#include "tests/unit/binlog/events.hpp"

namespace datasync::binlog::test {
namespace {

using base::as_bytes;
using base::Reason;
using message::Op;

/// id INT, name VARCHAR(20) utf8mb4, blob BLOB, b BINARY(4): one row event at a time.
class Encode : public testing::Test {
 protected:
  Encode() {
    map_ = TableMap{.id = TableId(42), .database = "d", .table = "t"};
    map_.columns = {{.type = WireType::Long, .name = "id"},
                    {.type = WireType::VarChar, .length = 80, .nullable = true, .collation = 45, .name = "name"},
                    {.type = WireType::Blob, .length = 2, .nullable = true, .collation = 63, .name = "data"},
                    {.type = WireType::String, .length = 4, .nullable = true, .collation = 63, .name = "b"}};
    map_.primary_key = {0};
    map_.has_names = true;
  }
  static std::string row(std::uint32_t id, const std::string& name) {
    return "\xf8" + le(id, 4) + le(name.size(), 1) + name + le(2, 2) + "\x01\x02" + "";
  }
  RowEncoder encoder() {
    auto out = RowEncoder::make(map_, options_);
    if (!out) throw std::runtime_error(out.error().what);
    return std::move(*out);
  }
  RowsEvent event(const std::string& rows, Op op = Op::Insert, std::uint8_t columns = 4) {
    body_ = rows_body(42, columns, rows, op == Op::Update);
    auto out = parse_rows(as_bytes(body_), {op, false, false}, {"bin.000007", 99}, inflater_, scratch_);
    if (!out) throw std::runtime_error(out.error().what);
    return *out;
  }
  std::vector<std::string> shown(RowEncoder& encoder, const RowsEvent& event) {
    auto cursor = encoder.open(event);
    if (!cursor) throw std::runtime_error(cursor.error().what);
    base::Buffer out;
    const auto n = cursor->fill(out, ~std::size_t{0});
    if (!n) throw std::runtime_error(n.error().what);
    message::RowReader reader(encoder.schema(), out.bytes());
    message::RowView view;
    std::vector<std::string> lines;
    while (*reader.next(view)) lines.push_back(show(encoder.schema(), view));
    EXPECT_EQ(lines.size(), *n);
    return lines;
  }

  TableMap map_;
  SchemaOptions options_ = options();
  std::string body_;
  Inflater inflater_;
  base::Buffer scratch_;
};

std::string full_row(std::uint32_t id, const std::string& name) {
  return "\xf0" + le(id, 4) + le(name.size(), 1) + name + le(2, 2) + "\x01\x02" + le(2, 1) + "\x05\x06";
}

TEST_F(Encode, rows_of_an_event_one_after_the_other) {
  auto e = encoder();
  EXPECT_EQ(shown(e, event(full_row(1, "one") + row(2, "two"))),
            (std::vector<std::string>{"insert id=1 | name=one | data=0x0102 | b=0x05060000",
                                      "insert id=2 | name=two | data=0x0102 | b=NULL"}));
}

TEST_F(Encode, updates_have_both_images) {
  auto e = encoder();
  EXPECT_EQ(
      shown(e, event(row(1, "x") + row(1, "y"), Op::Update)),
      std::vector<std::string>{"update id=1 | name=x | data=0x0102 | b=NULL => id=1 | name=y | data=0x0102 | b=NULL"});
  EXPECT_EQ(shown(e, event(row(3, "x"), Op::Delete)),
            std::vector<std::string>{"delete id=3 | name=x | data=0x0102 | b=NULL"});
}

TEST_F(Encode, excluded_columns_are_stepped_over) {
  options_.excluded = {"name", "b"};
  auto e = encoder();
  const auto null_data = std::string(1, '\xf4') + le(7, 4) + le(1, 1) + "x" + le(1, 1) + "\x05";
  EXPECT_EQ(shown(e, event(full_row(1, "secret") + null_data)),
            (std::vector<std::string>{"insert id=1 | data=0x0102", "insert id=7 | data=NULL"}));
}

TEST_F(Encode, images_are_the_bytes_that_the_image_writer_makes) {
  auto e = encoder();
  auto cursor = e.open(event(full_row(1, "one") + row(2, "")));
  base::Buffer out;
  ASSERT_TRUE(cursor->fill(out, ~std::size_t{0}));
  base::Buffer expected;
  expected.put(static_cast<std::uint8_t>(Op::Insert));
  message::ImageWriter first(expected, 4);
  first.fixed(std::int32_t{1});
  first.bytes(as_bytes("one"));
  first.bytes(as_bytes("\x01\x02"));
  first.bytes(as_bytes(std::string("\x05\x06\0\0", 4)));
  expected.put(static_cast<std::uint8_t>(Op::Insert));
  message::ImageWriter second(expected, 4);
  second.fixed(std::int32_t{2});
  second.bytes({});
  second.bytes(as_bytes("\x01\x02"));
  second.null();
  EXPECT_EQ(out.text(), expected.text()) << "NULL bits past the last column are clear";
}

// ADD COLUMN g POINT NOT NULL fills g with a value of no bytes, which no server takes in a statement.
TEST_F(Encode, rows_with_empty_geometry_are_omitted_except_before_images) {
  map_.columns = {{.type = WireType::Long, .name = "id"}, {.type = WireType::Geometry, .length = 1, .name = "g"}};
  auto e = encoder();
  const auto image = [](std::uint32_t id, const std::string& g) { return "\xfc" + le(id, 4) + le(g.size(), 1) + g; };
  const std::string point(25, 'p');
  for (const auto op : {Op::Insert, Op::Update, Op::Delete}) {
    const auto rows = op == Op::Update ? image(1, "") + image(1, point) + image(2, point) + image(2, "")
                                       : image(1, point) + image(2, "");
    const auto ev = event(rows, op, 2);
    auto cursor = e.open(ev);
    base::Buffer out;
    EXPECT_EQ(*cursor->fill(out, ~std::size_t{0}), op == Op::Delete ? 2U : 1U);
    EXPECT_EQ(cursor->left_out(), op == Op::Delete ? 0U : 1U);
    EXPECT_TRUE(cursor->done());
  }
}

TEST_F(Encode, the_caller_may_stop_after_any_row) {
  auto e = encoder();
  const auto ev = event(row(1, "a") + row(2, "b") + row(3, "c"));
  auto cursor = e.open(ev);
  base::Buffer out;
  EXPECT_TRUE(*cursor->next(out));
  const auto one = out.size();
  EXPECT_EQ(*cursor->fill(out, one + 1), 0U) << "the next row would be beyond the target";
  EXPECT_EQ(cursor->expected(), one);
  EXPECT_EQ(*cursor->fill(out, 2 * one), 1U);
  EXPECT_EQ(out.size(), 2 * one);
  EXPECT_EQ(*cursor->fill(out, one), 0U) << "already full";
  EXPECT_FALSE(cursor->done());
  out.clear();
  EXPECT_TRUE(*cursor->next(out));
  EXPECT_TRUE(cursor->done());
  EXPECT_FALSE(*cursor->next(out));
  EXPECT_EQ(out.size(), one);
}

TEST_F(Encode, a_row_that_runs_past_the_event_leaves_the_rows_before_it) {
  auto e = encoder();
  const auto whole = full_row(1, "one");
  for (std::size_t n = 1; n < whole.size(); ++n) {
    auto cursor = e.open(event(whole + whole.substr(0, n)));
    base::Buffer out;
    ASSERT_TRUE(*cursor->next(out));
    const auto before = out.size();
    const auto bad = cursor->next(out);
    ASSERT_FALSE(bad) << n;
    EXPECT_EQ(bad.error().reason, Reason::BinlogCorrupt);
    EXPECT_NE(bad.error().what.find("of d.t in the rows event at bin.000007:99"), std::string::npos)
        << bad.error().what;
    EXPECT_EQ(out.size(), before);
  }
}

TEST_F(Encode, a_partial_image_is_refused_by_table_and_place) {
  auto e = encoder();
  for (const bool update : {false, true}) {
    auto ev = event(row(1, "a") + row(1, "b"), update ? Op::Update : Op::Insert);
    const std::string some = "\x0b";
    (update ? ev.present_after : ev.present_before) = as_bytes(some);
    const auto cursor = e.open(ev);
    ASSERT_FALSE(cursor);
    EXPECT_EQ(cursor.error().reason, Reason::PartialRowImage);
    EXPECT_NE(cursor.error().what.find("d.t"), std::string::npos);
  }
}

TEST_F(Encode, another_number_of_columns_is_refused) {
  auto e = encoder();
  const auto cursor = e.open(event("", Op::Insert, 5));
  ASSERT_FALSE(cursor);
  EXPECT_EQ(cursor.error().reason, Reason::SchemaUnknown);
}

TEST_F(Encode, a_value_longer_than_its_fixed_type_is_damage) {
  auto e = encoder();
  const auto bad = "\xf6" + le(1, 4) + le(5, 1) + "12345";
  auto cursor = e.open(event(bad));
  base::Buffer out;
  EXPECT_EQ(cursor->next(out).error().reason, Reason::BinlogCorrupt);
}

TEST_F(Encode, labels_beyond_the_last_are_refused) {
  map_.columns = {{.type = WireType::Enum, .length = 1, .collation = 45, .name = "e", .labels = {"x", "y"}},
                  {.type = WireType::Set, .length = 1, .collation = 45, .name = "s", .labels = {"a"}}};
  auto e = encoder();
  for (const auto& [bytes, good] :
       {std::pair{"\xfc\x02\x01", true}, {"\xfc\x03\x01", false}, {"\xfc\x01\x02", false}}) {
    auto cursor = e.open(event(std::string(bytes, 3), Op::Insert, 2));
    base::Buffer out;
    const auto row = cursor->next(out);
    EXPECT_EQ(row.has_value(), good);
    if (!row) {
      EXPECT_EQ(row.error().reason, Reason::UnsupportedValue);
    }
  }
}

TEST_F(Encode, random_bytes_never_read_or_write_outside) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 rng(seed);
  const auto types = fixture("types");
  Recorder recorder;
  recorder.options_of = [](const TableMap& map) {
    std::vector<Refinement> all;
    for (std::uint16_t i = 0; i < map.columns.size(); ++i) all.push_back({.column = i, .fractional_digits = 3});
    return options(std::move(all));
  };
  (void)decode(as_bytes(types), recorder);
  ASSERT_GT(recorder.encoders().size(), 10U);
  for (const auto& known : recorder.encoders()) {
    for (int i = 0; i < 300; ++i) {
      std::string rows(rng() % 200, '\0');
      for (auto& c : rows) c = static_cast<char>(rng() % 4 == 0 ? 0 : rng());
      auto& e = const_cast<RowEncoder&>(known);
      body_ = rows_body(42, static_cast<std::uint8_t>(e.layout().columns.size()), rows, (i & 1) != 0);
      const auto op = (i & 1) != 0 ? Op::Update : Op::Insert;
      const auto ev = parse_rows(as_bytes(body_), {op, false, false}, {"f", 1}, inflater_, scratch_);
      ASSERT_TRUE(ev);
      auto cursor = e.open(*ev);
      ASSERT_TRUE(cursor);
      base::Buffer out;
      (void)cursor->fill(out, ~std::size_t{0});
      message::RowReader reader(e.schema(), out.bytes());
      message::RowView view;
      while (true) {
        const auto more = reader.next(view);
        ASSERT_TRUE(more) << "what was written reads back";
        if (!*more) break;
      }
    }
  }
}

TEST(RowsBody, version_2_has_extra_data_to_step_over) {
  const std::string present = "\x01";
  const auto body = le(42, 6) + le(1, 2) + le(5, 2) + "xyz" + le(1, 1) + present + "rows";
  Inflater inflater;
  base::Buffer scratch;
  const auto event = parse_rows(as_bytes(body), {Op::Insert, true, false}, {}, inflater, scratch);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->columns, 1U);
  EXPECT_EQ(base::as_text(event->rows), "rows");
  EXPECT_TRUE(event->head.statement_end);
  const auto bad = le(42, 6) + le(1, 2) + le(1, 2) + le(1, 1) + present;
  EXPECT_FALSE(parse_rows(as_bytes(bad), {Op::Insert, true, false}, {}, inflater, scratch));
}

// With foreign_key_checks=0 nothing cascades at the source; the flag that says so was not read.
TEST_F(Encode, a_rows_event_says_that_foreign_keys_did_not_act) {
  EXPECT_FALSE(event(row(1, "a")).head.keys_unchecked);
  body_[6] = '\x03';  // its flags: the end of a statement, without foreign key checks
  const auto rows = parse_rows(as_bytes(body_), {Op::Delete, false, false}, {"bin.000007", 99}, inflater_, scratch_);
  ASSERT_TRUE(rows);
  EXPECT_TRUE(rows->head.keys_unchecked && rows->head.statement_end);
}

}  // namespace
}  // namespace datasync::binlog::test
