#pragma once
// Records of a topic as JSON lines. Pure: no Kafka, no clock.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/message/record.hpp"
#include "agents/message/schema.hpp"

namespace datasync::cli {

/// What to show; empty members let all pass. With a table, GTID or key only rows and notes that have it are shown.
struct RecordFilter {
  std::string type;
  std::string table;                                       ///< "shop.orders"
  std::string gtid;                                        ///< "0-1-5"
  std::optional<std::pair<std::string, std::string>> key;  ///< column and value, as shown, before or after the change
};

/// A record as it stands in a topic.
struct RawRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  base::Result<message::Headers> headers;
  std::string_view key;
  base::Bytes value;
  bool tombstone = false;
};

/// The schema of an id, or nothing when nobody knows it.
using FindSchema = std::function<std::optional<message::TableSchema>(message::SchemaId)>;

/// One JSON object a line, without line ends: a line for each row of a change or snapshot chunk, one for every other
/// record. What cannot be read gives a line with "error". Numbers are JSON numbers (64-bit whole), DECIMAL and temporal
/// values text, binary values and text that is not UTF-8 "0x" hex.
std::vector<std::string> record_lines(const RawRecord& record, const RecordFilter& filter, const FindSchema& schema);

}  // namespace datasync::cli
