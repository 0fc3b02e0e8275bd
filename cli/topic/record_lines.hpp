#pragma once
// Formats records of a topic as JSON lines. Pure: no Kafka, no clock.

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

/// The records to show; an empty member does not filter. With a table, GTID or key, only rows and notes that have it
/// are shown.
struct RecordFilter {
  std::string type;
  std::string table;                                       ///< "shop.orders"
  std::string gtid;                                        ///< "0-1-5"
  std::optional<std::pair<std::string, std::string>> key;  ///< column and value, as shown, before or after the change
};

/// A record as read from a topic.
struct RawRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  base::Result<message::Headers> headers;
  std::string_view key;
  base::Bytes value;
  bool tombstone = false;
};

/// Returns the schema of an id; nullopt when it is not known.
using FindSchema = std::function<std::optional<message::TableSchema>(message::SchemaId)>;

/// Returns one JSON object per line, without line ends: a line for each row of a change or snapshot chunk, one for
/// every other record. A record that cannot be read gives a line with "error". Numbers are JSON numbers (64-bit
/// integers), DECIMAL and temporal values are text, binary values and text that is not UTF-8 are "0x" and hex.
std::vector<std::string> record_lines(const RawRecord& record, const RecordFilter& filter, const FindSchema& schema);

}  // namespace datasync::cli
