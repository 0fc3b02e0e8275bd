#pragma once
// Parts of the capture agent with a real server behind them and everything else in memory.

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <fmt/ranges.h>

#include "agents/capture/snapshot/snapshot.hpp"
#include "agents/capture/stream/pipeline.hpp"
#include "agents/protocol/capture_epoch.hpp"
#include "agents/source/mariadb/change_reader.hpp"
#include "agents/source/mariadb/source.hpp"
#include "tests/integration/sql_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/unit/binlog/events.hpp"
#include "tests/unit/capture/nothing_kept.hpp"
#include "tests/unit/protocol/memory_log.hpp"

namespace datasync::capture {

using binlog::EventType;
using binlog::test::le;
using message::End;
using message::Gtid;
using Phase = message::Snapshot::Phase;

/// Writes down what goes out and keeps the callbacks for whoever plays the broker.
class Recorder final : public Output {
 public:
  base::Result<void> change(std::int32_t, message::Headers headers, base::Buffer value, const Gtid& gtid) override {
    std::size_t rows = 0;
    const auto change = *message::decode<message::Change>(value.bytes());
    for (const auto& t : change.tables) rows += t.count;
    changes.push_back(fmt::format("{} {} rows={}", gtid.text(), message::to_string(headers.end), rows));
    return {};
  }
  base::Result<void> between(std::int32_t, message::Headers headers, const std::string& value,
                             OnAcked on_acked) override {
    const std::scoped_lock lock(mutex);
    if (headers.kind == message::Kind::Snapshot)
      phases.push_back(message::decode<message::Snapshot>(base::as_bytes(value))->phase);
    if (on_acked) reports.push_back(std::move(on_acked));
    return {};
  }
  void finished(const Gtid&) override {}

  std::vector<std::string> changes;
  std::mutex mutex;
  std::vector<Phase> phases;
  std::vector<OnAcked> reports;
};

class CaptureParts : public sql::SqlTest {
 protected:
  void SetUp() override {
    SqlTest::SetUp();
    server_->execute("CREATE TABLE a.t (id INT PRIMARY KEY, v INT NOT NULL)");
    selection_ = std::make_unique<Selection>(*Selection::make({config::Type{"things", {"a.t"}, {}, {}}}, 1));
    catalog_ = std::make_unique<Catalog>(
        *selection_, source::Rules{}, [] { return connect_to_source(); },
        [this](const message::TableSchema&) -> base::Result<void> {
          ++published_;
          return {};
        },
        nothing_kept());
  }
  static base::Result<std::unique_ptr<source::Server>> connect_to_source() {
    return source::mariadb::connect(options(sql::Role::Source));
  }
  [[nodiscard]] const TableChoice& table() const { return selection_->tables()[0]; }
  static std::string map_body(std::uint64_t id) {
    return binlog::test::table_map_body({.id = id,
                                         .database = "a",
                                         .table = "t",
                                         .types = "\x03\x03",
                                         .nullable = std::string(1, '\0'),
                                         .optional = binlog::test::names_and_key({"id", "v"})});
  }
  std::uint32_t add(std::uint64_t id) {
    const auto body = map_body(id);
    auto map = binlog::parse_table_map(base::as_bytes(body), {});
    EXPECT_TRUE(map) << map.error().what;
    auto number = catalog_->add(table(), std::move(*map));
    EXPECT_TRUE(number) << number.error().what;
    return number ? number->number : ~0U;
  }

  [[nodiscard]] std::string executed() const { return server_->value("SELECT @@gtid_binlog_pos"); }

  /// The dump of one connection, fed with events. What it asks for is written down.
  class Dump {
   public:
    Dump(CaptureParts& of, StreamWriter& stream, std::uint64_t max_event = binlog::kMaxInflated)
        : pipeline_({*of.selection_, stream, of.held_, of.gate_, of.clock_, of.status_, of.freshness_, of.between_,
                     [] {}, [] {},
                     [&of](const Outdated& table, const std::string&) -> base::Result<void> {
                       of.reported_.push_back(table.table + (table.rows_missed ? " is emptied" : " is copied"));
                       return {};
                     },
                     [] { return base::Result<void>(); }, [](const auto&, const auto&) { return false; },
                     [&of](const Gtid& gtid) { return of.accepted_.contains(gtid.text()); },
                     [&of](const std::string& gtid, const std::string&, const Passed& passed) -> base::Result<bool> {
                       of.reported_.push_back(gtid + " passed: " + shown(passed));
                       return true;
                     },
                     [&of](const std::string&, const std::string& xid, const Passed& passed) -> base::Result<void> {
                       of.prepares_[xid] = passed;
                       return {};
                     },
                     [&of](const std::string& xid) {
                       const auto at = of.prepares_.find(xid);
                       return at == of.prepares_.end() ? std::nullopt : std::optional(at->second);
                     },
                     of.due_},
                    *of.catalog_, {}, max_event),
          reader_({}, false, max_event) {
      feed(binlog::test::format_description(binlog::Checksum::Crc32));
    }
    void feed(const std::string& event) {
      const auto fed = reader_.take(pipeline_, base::as_bytes(event));
      EXPECT_TRUE(fed) << fed.error().what;
    }

   private:
    static std::string shown(const Passed& passed) {
      return passed.all ? "everything" : fmt::format("{}", fmt::join(passed.tables, ","));
    }
    Pipeline pipeline_;
    source::mariadb::ChangeReader reader_;
  };
  static std::string plain(EventType type, const std::string& body) {
    return binlog::test::make_event({.type = type, .body = body});
  }
  static std::string xid_event() { return plain(EventType::Xid, le(1, 8)); }

  StreamWriter writer() {
    return {out_, {message::GtidSet{}}, {}, {}, [](message::SchemaId) { return std::string("the row"); }};
  }

  Recorder out_;
  std::unique_ptr<Selection> selection_;
  std::unique_ptr<Catalog> catalog_;
  int published_ = 0;
  PreparedTransactions held_;
  SourceClock clock_;
  Freshness freshness_;
  DueDefinitions due_;
  std::set<std::string> accepted_;
  std::map<std::string, Passed> prepares_;
  std::vector<std::string> reported_;
  ChunkGate gate_;
  std::mutex between_;
  health::Status status_{{"capture", "test", "test", ""}};
};

}  // namespace datasync::capture
