#pragma once
// What the tests of the engines of sources have in common.

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/integration/source_engines.hpp"
#include "tests/integration/source_listener.hpp"

namespace datasync::test {

/// An engine, by the name that its tests have.
struct Named {
  const char* name;
  std::unique_ptr<SourceUnderTest> (*make)();
};

/// The tests run in their order on one server for each engine; table a.t is empty and new in each.
class SourceConformance : public testing::TestWithParam<Named> {
 protected:
  void SetUp() override {
    auto& source = sources()[GetParam().name];
    if (!source) source = GetParam().make();
    source_ = source.get();
    source_->create_table("a.t", true);
    source_->insert("a.t", 0, "first");
    source_->remove("a.t", 0);
  }
  static void TearDownTestSuite() { sources().clear(); }

  [[nodiscard]] std::unique_ptr<source::Server> connect() const {
    return must(source_->engine().connect(source_->server()));
  }
  static source::StreamOptions options(const message::GtidSet& position) {
    source::StreamOptions options;
    options.position = position;
    options.server_id = 4711;
    options.heartbeat = std::chrono::milliseconds(50);
    return options;
  }
  [[nodiscard]] std::unique_ptr<source::ChangeStream> open(const message::GtidSet& position) const {
    return must(source_->engine().open_stream(source_->server(), options(position)));
  }
  [[nodiscard]] Listener listener(const std::string& table = "a.t") const {
    return {table, must(connect()->collations())};
  }
  /// Reads until everything that the server has now was reported, which ends with a transaction of this test.
  void read_all(source::ChangeStream& stream, Listener& to) const {
    const auto all = must(connect()->executed());
    while (!to.seen.contains(all)) must(stream.next(to));
    to.idle = false;
    while (!to.idle) must(stream.next(to));
  }
  [[nodiscard]] message::TableSchema schema() const { return must(connect()->table("a", "t", {}))->schema; }
  static SourceRows rows_of(source::RowReader& reader, const message::TableSchema& schema) {
    SourceRows out;
    base::Buffer row;
    while (true) {
      row.clear();
      if (!must(reader.next(row))) return out;
      message::ImageView view;
      must(message::read_image(schema, row.bytes(), view));
      out[base::Cursor(view.values[0]).get<std::int64_t>()] = base::as_text(view.values[1]);
    }
  }
  static std::string key(std::int64_t id) {
    base::Buffer out;
    message::ImageWriter image(out, 1);
    image.fixed(id);
    return std::string(out.text());
  }

  static std::map<std::string, std::unique_ptr<SourceUnderTest>>& sources() {
    static std::map<std::string, std::unique_ptr<SourceUnderTest>> all;
    return all;
  }
  SourceUnderTest* source_ = nullptr;
  source::Selection selection_ = *source::Selection::make({config::Type{"things", {"a.t", "a.absent"}, {}, {}}}, 1);
  source::Rules rules_{.allow_primary = true, .server_id = 4711};
};

}  // namespace datasync::test
