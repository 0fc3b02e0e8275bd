// A copied row and a streamed row are the same bytes, for every type, and say what the server itself says. The seed is
// printed; DATASYNC_SEED repeats it.

#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/capture/plan/captured_schema.hpp"
#include "agents/capture/snapshot/chunk_reader.hpp"
#include "agents/client/mysql/row_decode.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "tests/integration/agree_data.hpp"
#include "tests/integration/agree_fixture.hpp"
#include "tests/integration/agree_reader.hpp"

namespace datasync::test {
namespace {

constexpr std::size_t kRows = 14, kUpdated = 7;

std::uint64_t seed() {
  const char* text = std::getenv("DATASYNC_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
}

sql::ConnectOptions options() {
  sql::ConnectOptions o;
  o.server = {"127.0.0.1", ImagesAgree::fixture_->source().port()};
  o.user = "root";
  return o;
}

Session writer(const std::string& time_zone) {
  auto session = ImagesAgree::fixture_->source().connect();
  session.execute("SET sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', innodb_strict_mode=OFF");
  session.execute(fmt::format("SET time_zone='{}'", time_zone));
  return session;
}

std::string value_of(const AgreeColumn& column, std::size_t row) {
  return column.values[row % column.values.size()];
}

void create(const AgreeTable& table) {
  auto& server = ImagesAgree::fixture_->source();
  std::string columns = "id INT PRIMARY KEY";
  for (std::size_t i = 0; i < table.columns.size(); ++i) columns += fmt::format(", c{} {}", i, table.columns[i].type);
  server.execute(fmt::format("SET GLOBAL mysql56_temporal_format={}", table.old_temporal ? "OFF" : "ON"));
  server.execute("SET innodb_strict_mode=OFF");
  server.execute(fmt::format("CREATE TABLE agree.{} ({})", table.name, columns));
  server.execute("SET GLOBAL mysql56_temporal_format=ON");
}

void change(const AgreeTable& table, Session& session) {
  std::string names = "id";
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (!table.columns[i].values.empty()) names += fmt::format(",c{}", i);
  std::string rows;
  for (std::size_t r = 0; r < kRows; ++r) {
    rows += fmt::format("{}({}", r == 0 ? "" : ",", r);
    for (const auto& c : table.columns)
      if (!c.values.empty()) rows += "," + value_of(c, r);
    rows += ")";
  }
  session.execute(fmt::format("INSERT IGNORE INTO agree.{} ({}) VALUES {}", table.name, names, rows));
  for (std::size_t r = 0; r < kUpdated; ++r) {
    std::string set;
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      if (!table.columns[i].values.empty())
        set += fmt::format("{}c{}={}", set.empty() ? "" : ",", i, value_of(table.columns[i], kRows + r));
    session.execute(fmt::format("UPDATE IGNORE agree.{} SET {} WHERE id={}", table.name, set, r));
  }
  session.execute(fmt::format("DELETE FROM agree.{} WHERE id % 5 = 4", table.name));
}

/// What the server's own words say of every row, by id.
void expect_server_values(const message::TableSchema& schema, const Images& images,
                          const std::vector<AgreeColumn>& columns) {
  auto session = ImagesAgree::fixture_->source().connect();
  std::string select = "id";
  for (const auto& c : schema.columns)
    select += fmt::format(", IF({} IS NULL, NULL, {})", quote_name(c.name), server_expression(c));
  std::map<std::string, SqlRow> server_rows;
  for (auto& row : session.query(fmt::format("SELECT {} FROM {}", select, quote_table(schema.qualified()))))
    server_rows[row[0].value()] = row;
  message::RowView view;
  for (const auto& [key, image] : images) {
    const auto row = "\x01" + image;
    message::RowReader reader(schema, base::as_bytes(row));
    ASSERT_TRUE(reader.next(view));
    const auto& expected = server_rows[image_text(schema.columns[0], view.after.values[0])];
    ASSERT_EQ(expected.size(), schema.columns.size() + 1) << "a row that the server does not have";
    for (std::size_t i = 1; i < schema.columns.size(); ++i) {
      const auto ours =
          view.after.nulls[i] != 0 ? std::nullopt : std::optional(image_text(schema.columns[i], view.after.values[i]));
      EXPECT_EQ(ours, expected[i + 1]) << schema.qualified() << " row " << expected[0].value() << " "
                                       << columns[i - 1].type;
    }
  }
}

/// Names the columns of which two images of a table differ.
std::string difference(const message::TableSchema& schema, const std::string& copied, const std::string& streamed,
                       const std::vector<AgreeColumn>& columns) {
  const auto left = "\x01" + copied, right = "\x01" + streamed;
  message::RowReader one(schema, base::as_bytes(left)), two(schema, base::as_bytes(right));
  message::RowView a, b;
  if (!one.next(a) || !two.next(b)) return "an image that cannot be read";
  std::string out;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const auto text = [&](const message::ImageView& v) {
      return v.nulls[i] != 0 ? std::string("NULL") : image_text(schema.columns[i], v.values[i]).substr(0, 80);
    };
    if (text(a.after) != text(b.after))
      out += fmt::format("\n  {} {}: copied {}, streamed {}", schema.columns[i].name,
                         i == 0 ? "INT" : columns[i - 1].type, text(a.after), text(b.after));
  }
  return out;
}

void expect_agreement(const AgreeTable& table, const capture::TableChoice& choice, AgreeReader& stream) {
  SCOPED_TRACE(table.name);
  auto connection = sql::Connection::open(options());
  ASSERT_TRUE(connection) << connection.error().what;
  const auto info = sql::read_table_info(**connection, "agree", table.name);
  ASSERT_TRUE(info && *info) << info.error().what;
  const auto schema = capture::captured_schema(choice, (*info)->schema);
  ASSERT_TRUE(schema) << schema.error().what;
  EXPECT_EQ(*schema, stream.schema(choice.qualified())) << "the schemas differ";
  auto reader = sql::TableReader::open(**connection, *schema, "agree", table.name, {});
  ASSERT_TRUE(reader) << reader.error().what;
  Images copied;
  for (base::Buffer image;; image.clear()) {
    const auto more = (*reader)->next(image);
    ASSERT_TRUE(more) << more.error().what;
    if (!*more) break;
    copied[capture::key_of(*schema, image.bytes()).value()] = image.text();
  }
  const auto& streamed = stream.images(choice.qualified());
  EXPECT_GE(copied.size(), kRows - 3);
  EXPECT_EQ(copied.size(), streamed.size());
  for (const auto& [key, image] : copied) {
    const auto at = streamed.find(key);
    ASSERT_NE(at, streamed.end());
    EXPECT_TRUE(at->second == image) << difference(*schema, image, at->second, table.columns);
  }
  expect_server_values(*schema, copied, table.columns);
}

TEST_F(ImagesAgree, EveryTypeGivesTheSameBytesCopiedAndStreamed) {
  const auto number = seed();
  std::printf("DATASYNC_SEED=%llu\n", static_cast<unsigned long long>(number));
  RecordProperty("seed", std::to_string(number));
  std::mt19937_64 random(number);
  auto& server = fixture_->source();
  std::vector<std::string> charsets;
  for (const auto& row : server.query("SELECT character_set_name FROM information_schema.character_sets"))
    charsets.push_back(row[0].value());
  const auto tables = agree_tables(random, charsets);
  server.execute("CREATE OR REPLACE DATABASE agree");
  config::Type type{.name = "agree", .tables = {}};
  for (const auto& table : tables) {
    create(table);
    type.tables.push_back("agree." + table.name);
  }
  const auto selection = capture::Selection::make({type}, 1).value();
  const auto from = server.gtid();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i == tables.size() / 2) {
      server.execute("SET GLOBAL log_bin_compress_min_len=10");
      server.execute("SET GLOBAL log_bin_compress=ON");
    }
    auto session = writer(tables[i].time_zone);
    change(tables[i], session);
  }
  server.execute("SET GLOBAL log_bin_compress=OFF");
  AgreeReader stream(selection, options());
  stream.read(from, server.gtid());
  EXPECT_EQ(stream.broken(), std::vector<std::string>());
  for (std::size_t i = 0; i < tables.size(); ++i) expect_agreement(tables[i], selection.tables()[i], stream);
}

}  // namespace
}  // namespace datasync::test
