#pragma once
// The two logs in memory, with a hook that decides what becomes of an append.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agents/protocol/log.hpp"

namespace datasync::protocol {

enum class Fate : std::uint8_t {
  Lands,                ///< and is acknowledged
  LandsUnacknowledged,  ///< lands, but the acknowledgement is lost
  Vanishes,             ///< does not land, and the caller hears of a failure
};

inline base::Error unacknowledged() {
  return {base::Reason::BrokerUnreachable, "no acknowledgement"};
}

class MemoryStateLog : public StateLog {
 public:
  explicit MemoryStateLog(std::vector<StateRecord>& records) : records_(records) {}

  base::Result<Offset> append(message::Kind kind, const std::string& key, const std::string& value) override {
    if (before_append) before_append(kind);
    const auto fate = fates.empty() ? Fate::Lands : fates.front();
    if (!fates.empty()) fates.pop_front();
    if (fate == Fate::Vanishes) return unacknowledged();
    const auto offset = static_cast<Offset>(records_.size());
    records_.push_back({offset, kind, key, value});
    if (fate == Fate::LandsUnacknowledged) return unacknowledged();
    return offset;
  }
  base::Result<Offset> remove(message::Kind kind, const std::string& key) override {
    const auto offset = static_cast<Offset>(records_.size());
    records_.push_back({offset, kind, key, "", true});
    return offset;
  }
  base::Result<std::vector<StateRecord>> read_to_end(std::stop_token stop) override {
    if (stop.stop_requested()) return base::Error(base::Reason::Stopping, "stopped");
    const std::vector<StateRecord> out(records_.begin() + static_cast<std::ptrdiff_t>(next_), records_.end());
    next_ = records_.size();
    return out;
  }

  std::deque<Fate> fates;
  std::function<void(message::Kind)> before_append;

 private:
  std::vector<StateRecord>& records_;
  std::size_t next_ = 0;
};

class MemoryStreamLog : public StreamLog {
 public:
  struct Entry {
    message::Headers headers;
    std::string value;
  };

  base::Result<Offset> append(std::int32_t stream, const message::Headers& headers, const std::string& value) override {
    const auto fate = fates.empty() ? Fate::Lands : fates.front();
    if (!fates.empty()) fates.pop_front();
    if (fate == Fate::Vanishes) return unacknowledged();
    put(stream, headers, value);
    if (fate == Fate::LandsUnacknowledged) return unacknowledged();
    return end(stream) - 1;
  }
  base::Result<void> read(std::int32_t stream, Offset from, Offset to, std::stop_token,
                          const std::function<base::Result<void>(const StreamRecord&)>& take) override {
    const auto& entries = streams[stream];
    for (auto i = from; i < to; ++i) {
      if (i < first[stream]) return base::Error(base::Reason::OffsetExpired, "expired");
      const auto& e = entries.at(static_cast<std::size_t>(i));
      DS_TRY(take({i, e.headers, base::as_bytes(e.value)}));
    }
    return {};
  }
  base::Result<Ends> ends(std::int32_t stream) override {
    const Ends found{first[stream], end(stream)};
    if (after_ends) after_ends();
    return found;
  }

  void put(std::int32_t stream, const message::Headers& headers, const std::string& value) {
    streams[stream].push_back({headers, value});
  }
  Offset end(std::int32_t stream) { return static_cast<Offset>(streams[stream].size()); }

  std::map<std::int32_t, std::vector<Entry>> streams;
  std::map<std::int32_t, Offset> first;
  std::function<void()> after_ends;
  std::deque<Fate> fates;
};

}  // namespace datasync::protocol
