#pragma once
// Interfaces of the two logs that the protocol uses. Kafka implements them (agents/kafka/logs.hpp); the tests simulate
// them.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/message/record.hpp"

namespace datasync::protocol {

using Offset = std::int64_t;

/// A record of the state topic.
struct StateRecord {
  Offset offset = 0;
  message::Kind kind = message::Kind::Claim;
  std::string key;
  std::string value;
  bool removed = false;  ///< a tombstone: earlier records of this key no longer count
};

/// The state topic: one partition, totally ordered, compacted.
class StateLog {
 public:
  StateLog() = default;
  StateLog(const StateLog&) = delete;
  StateLog& operator=(const StateLog&) = delete;
  virtual ~StateLog() = default;
  /// Appends and waits for the acknowledgement. After an error the outcome is unknown: the record may have been stored,
  /// or may still be stored later.
  virtual base::Result<Offset> append(message::Kind kind, const std::string& key, const std::string& value) = 0;
  /// Appends a tombstone: compaction removes the earlier records of this key. Errors: as `append`.
  virtual base::Result<Offset> remove(message::Kind kind, const std::string& key) = 0;
  /// Returns all records from this reader's position to the end of the log at the time of the call. After an error the
  /// next call may return records again. Errors: Stopping; those of the log.
  virtual base::Result<std::vector<StateRecord>> read_to_end(std::stop_token stop) = 0;
  /// As read_to_end, but passes each record to `take` as it is read instead of collecting them. An error of `take`
  /// stops the reading and is returned; whether the next call repeats records depends on the log.
  virtual base::Result<void> read_each(std::stop_token stop,
                                       const std::function<base::Result<void>(const StateRecord&)>& take) {
    DS_ASSIGN(const auto records, read_to_end(std::move(stop)));
    for (const auto& record : records) DS_TRY(take(record));
    return {};
  }
};

/// A record of a stream as a reader sees it.
struct StreamRecord {
  Offset offset = 0;
  message::Headers headers;
  base::Bytes value;  ///< valid during the call that passes it
};

/// The topic with the streams; each stream is a partition.
class StreamLog {
 public:
  struct Ends {
    Offset first = 0;  ///< the first available offset
    Offset next = 0;   ///< the offset of the next record: 0 on a stream that never had one
  };
  StreamLog() = default;
  StreamLog(const StreamLog&) = delete;
  StreamLog& operator=(const StreamLog&) = delete;
  virtual ~StreamLog() = default;
  /// Appends and waits for the acknowledgement; as StateLog::append.
  virtual base::Result<Offset> append(std::int32_t stream, const message::Headers& headers,
                                      const std::string& value) = 0;
  /// Reads [from, to) in order. An error of `take` stops the reading and is returned. OffsetExpired when `from` is no
  /// longer available.
  virtual base::Result<void> read(std::int32_t stream, Offset from, Offset to, std::stop_token stop,
                                  const std::function<base::Result<void>(const StreamRecord&)>& take) = 0;
  /// Returns the first available and the next offset.
  virtual base::Result<Ends> ends(std::int32_t stream) = 0;
};

}  // namespace datasync::protocol
