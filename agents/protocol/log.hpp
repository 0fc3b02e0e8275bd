#pragma once
// The two logs the protocol stands on, as small interfaces: Kafka implements them (agents/kafka/logs.hpp), the tests
// simulate them.

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
  bool removed = false;  ///< a tombstone: the records of this key before it count no more
};

/// The state topic: one partition, totally ordered, compacted.
class StateLog {
 public:
  StateLog() = default;
  StateLog(const StateLog&) = delete;
  StateLog& operator=(const StateLog&) = delete;
  virtual ~StateLog() = default;
  /// Appends and waits for the acknowledgement. An error leaves the outcome unknown: the record may have landed, or may
  /// still land later.
  virtual base::Result<Offset> append(message::Kind kind, const std::string& key, const std::string& value) = 0;
  /// Appends a tombstone: compaction removes what stands before it under this key. As `append`.
  virtual base::Result<Offset> remove(message::Kind kind, const std::string& key) = 0;
  /// Everything from where this reader stands up to the log's end at the time of the call; after an error perhaps
  /// records that it gave before, too. Stop: Stopping.
  virtual base::Result<std::vector<StateRecord>> read_to_end(std::stop_token stop) = 0;
  /// The same without holding all of it: each record as it is read. An error of `take` ends the reading and is
  /// returned; whether the records after it come again depends on the log.
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
  base::Bytes value;  ///< valid during the call that hands it over
};

class StreamLog {
 public:
  struct Ends {
    Offset first = 0;  ///< the first offset that is still there
    Offset next = 0;   ///< the one that the next record gets: 0 on a stream that never had one
  };
  StreamLog() = default;
  StreamLog(const StreamLog&) = delete;
  StreamLog& operator=(const StreamLog&) = delete;
  virtual ~StreamLog() = default;
  /// Appends and waits for the acknowledgement; as StateLog::append.
  virtual base::Result<Offset> append(std::int32_t stream, const message::Headers& headers,
                                      const std::string& value) = 0;
  /// Reads [from, to) in order. Errors of `take` end the reading and are returned. OffsetExpired when `from` is gone.
  virtual base::Result<void> read(std::int32_t stream, Offset from, Offset to, std::stop_token stop,
                                  const std::function<base::Result<void>(const StreamRecord&)>& take) = 0;
  virtual base::Result<Ends> ends(std::int32_t stream) = 0;
};

}  // namespace datasync::protocol
