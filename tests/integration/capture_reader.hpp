#pragma once
// An independent reader of a topic: what a table would hold whose owner followed docs/messages.md to the letter.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agents/kafka/consumer.hpp"
#include "agents/message/record.hpp"
#include "agents/message/row.hpp"
#include "agents/protocol/reader_rule.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::test {

/// Reads all streams of a topic and keeps the rows of every table in memory. One thread.
class CaptureReader {
 public:
  CaptureReader(const std::string& bootstrap, const std::string& topic, int streams);

  /// Reads everything that is there now.
  void catch_up();

  using Rows = std::map<std::string, std::string>;  ///< key image -> row image
  [[nodiscard]] const Rows& rows(const std::string& table) { return tables_[table]; }
  /// Every GTID set a stream has, from its transactions and watermarks.
  [[nodiscard]] const message::GtidSet& position(int stream) const { return streams_[index(stream)].position; }
  [[nodiscard]] std::uint64_t transactions() const { return transactions_; }
  [[nodiscard]] std::uint64_t aborted() const { return aborted_; }
  /// What broke a promise: a transaction twice, an insert of a row that is there, a change of one that is not.
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }
  [[nodiscard]] const std::set<std::string>& types() const { return types_; }
  [[nodiscard]] const std::vector<message::SchemaNote>& notes() const { return notes_; }
  [[nodiscard]] const std::vector<message::Verify>& verified() const { return verified_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  [[nodiscard]] bool snapshot_ended() const { return ended_; }

 private:
  struct Stream {
    std::int64_t next = 0;
    protocol::ReaderRule rule;
    message::GtidSet position;
    std::vector<message::TableRows> open;
    std::string open_gtid;
    std::map<std::string, bool> copying;  ///< tables between Begin and End
  };
  [[nodiscard]] static std::size_t index(int stream) { return static_cast<std::size_t>(stream); }
  void read_state();
  void take(Stream& stream, const message::Headers& headers, base::Bytes value);
  void take_change(Stream& stream, const message::Headers& headers, base::Bytes value);
  void take_snapshot(Stream& stream, base::Bytes value);
  void apply(Stream& stream, const message::TableRows& rows, bool tolerant);
  void apply_row(const message::TableSchema& schema, const message::RowView& row, bool tolerant);

  kafka::Access access_;
  std::string topic_;
  protocol::StateView state_;
  std::int64_t state_next_ = 0;
  std::vector<Stream> streams_;
  std::map<std::string, Rows> tables_;
  std::map<std::string, std::map<std::string, message::SchemaId>> written_as_;
  std::uint64_t transactions_ = 0, aborted_ = 0, records_ = 0;
  std::vector<std::string> broken_;
  std::set<std::string> types_;
  std::vector<message::SchemaNote> notes_;
  std::vector<message::Verify> verified_;
  bool ended_ = false;
};

}  // namespace datasync::test
