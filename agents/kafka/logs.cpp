#include "agents/kafka/logs.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "agents/kafka/appender.hpp"
#include "agents/kafka/consumer.hpp"
#include "agents/kafka/handle.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;
using protocol::Offset;

constexpr base::Millis kReadWait{50};
constexpr base::Millis kNoProgress{15000};
constexpr base::Millis kEndsDeadline{10000};
constexpr ConsumerOptions kStateReader{4096, 2U << 20U};

Error stopping(const std::string& topic) {
  return {Reason::Stopping, "stopped while reading topic " + topic};
}

/// Passes every record before `to` to `take`; offsets that compaction removed are skipped.
template <class Take>
base::Result<void> read_until(Consumer& consumer, Offset to, const std::string& topic, const std::stop_token& stop,
                              Take take) {
  auto progress = base::steady_now();
  while (consumer.position() < to) {
    if (stop.stop_requested()) return stopping(topic);
    const auto before = consumer.position();
    DS_ASSIGN(auto record, consumer.next(kReadWait));
    if (record && record->offset() >= to) return consumer.seek(record->offset());  // for the next read
    if (record) {
      if (auto taken = take(*record); !taken) {
        DS_TRY(consumer.seek(record->offset()));  // the record is not skipped: the next read returns it again
        return taken;
      }
    }
    if (consumer.position() != before) {
      progress = base::steady_now();
    } else if (base::steady_now() - progress > kNoProgress) {
      return Error(Reason::BrokerUnreachable,
                   fmt::format("reading topic {} up to offset {}: nothing came at offset {}", topic, to, before));
    }
  }
  return {};
}

using TakeState = std::function<base::Result<void>(const protocol::StateRecord&)>;

class KafkaStateLog final : public protocol::StateLog {
 public:
  KafkaStateLog(const Access& access, const std::string& topic)
      : access_(access), topic_(topic), appender_(access, topic) {}

  base::Result<Offset> append(message::Kind kind, const std::string& key, const std::string& value) override {
    return appended(appender_.append(0, {kind, "", {}, message::End::None}, key, value));
  }
  base::Result<Offset> remove(message::Kind kind, const std::string& key) override {
    return appended(appender_.append_tombstone(0, {kind, "", {}, message::End::None}, key));
  }
  base::Result<Offset> appended(base::Result<Offset> at) {
    DS_ASSIGN(const auto offset, std::move(at));
    auto seen = appended_.load();
    while (seen < offset + 1 && !appended_.compare_exchange_weak(seen, offset + 1)) {
    }
    return offset;
  }

  /// Records that were read before an error stay in `pending_`; the next call returns them.
  base::Result<std::vector<protocol::StateRecord>> read_to_end(std::stop_token stop) override {
    DS_TRY(read_each(std::move(stop), [this](const protocol::StateRecord& record) -> base::Result<void> {
      pending_.push_back(record);
      return {};
    }));
    return std::exchange(pending_, {});
  }

  /// A record that `take` refuses is the first one of the next call.
  base::Result<void> read_each(std::stop_token stop, const TakeState& take) override {
    if (consumer_ == nullptr) DS_TRY(open());
    auto read = read_on(stop, take);
    if (!read) {
      if (read.error().outcome() != base::Outcome::Exit) consumer_.reset();  // a new consumer reads its secrets again
      // The topic may be another log now, with claims before this offset. Reading records again has no effect.
      if (read.error().is(Reason::BrokerRejected)) next_ = Consumer::kFirst;
    }
    return read;
  }

  base::Result<void> open() {
    DS_ASSIGN(consumer_, Consumer::open(access_, topic_, 0, next_, kStateReader));
    next_ = consumer_->position();
    return {};
  }

 private:
  base::Result<void> read_on(const std::stop_token& stop, const TakeState& give) {
    DS_ASSIGN(const auto ends, consumer_->watermarks(kEndsDeadline));
    if (next_ > ends.high)
      return Error(Reason::LogTruncated, fmt::format("topic {} ends at offset {}, but everything before {} was read "
                                                     "already; it was recreated, or its end was lost",
                                                     topic_, ends.high, next_));
    // Records that this instance appended exist, even if a lagging broker reports an earlier end.
    const auto to = std::max(ends.high, appended_.load());
    const auto take = [&](const Record& record) -> base::Result<void> {
      DS_ASSIGN(const auto headers, record.headers());
      // A tombstone without a key removes nothing.
      if (!record.tombstone() || !record.key().empty())
        DS_TRY(give({record.offset(), headers.kind, std::string(record.key()),
                     std::string(base::as_text(record.value())), record.tombstone()}));
      next_ = record.offset() + 1;
      return {};
    };
    DS_TRY(read_until(*consumer_, to, topic_, stop, take));
    next_ = std::max(next_, to);
    return {};
  }

  const Access access_;
  const std::string topic_;
  Appender appender_;
  std::atomic<Offset> appended_ = 0;  ///< one past the newest record appended by this instance
  std::unique_ptr<Consumer> consumer_;
  Offset next_ = Consumer::kFirst;
  std::vector<protocol::StateRecord> pending_;
};

class KafkaStreamLog final : public protocol::StreamLog {
 public:
  KafkaStreamLog(const Access& access, const std::string& topic)
      : access_(access), topic_(topic), appender_(access, topic) {}

  base::Result<void> connect() {
    DS_ASSIGN(client_, make_client(RD_KAFKA_CONSUMER, access_, {}, events_));
    DS_TRY(confirm_topic(client_.get(), topic_, events_, kEndsDeadline));
    return {};
  }

  base::Result<Offset> append(std::int32_t stream, const message::Headers& headers, const std::string& value) override {
    return appender_.append(stream, headers, "", value);
  }

  base::Result<void> read(std::int32_t stream, Offset from, Offset to, std::stop_token stop,
                          const std::function<base::Result<void>(const protocol::StreamRecord&)>& take) override {
    if (from >= to) return {};
    DS_ASSIGN(const auto consumer, Consumer::open(access_, topic_, stream, from));
    return read_until(*consumer, to, topic_, stop, [&](const Record& record) -> base::Result<void> {
      DS_ASSIGN(const auto headers, record.headers());
      return take({record.offset(), headers, record.value()});
    });
  }

  base::Result<Ends> ends(std::int32_t stream) override {
    DS_ASSIGN(const auto found, partition_ends(client_.get(), topic_, stream, events_, kEndsDeadline));
    return Ends{found.low, found.high};
  }

 private:
  const Access access_;
  const std::string topic_;
  Appender appender_;
  ClientEvents events_;
  ClientPtr client_;
};

}  // namespace

base::Result<std::unique_ptr<protocol::StateLog>> open_state_log(const Access& access, const std::string& state_topic) {
  auto log = std::make_unique<KafkaStateLog>(access, state_topic);
  DS_TRY(log->open());
  return std::unique_ptr<protocol::StateLog>(std::move(log));
}

base::Result<std::unique_ptr<protocol::StreamLog>> open_stream_log(const Access& access, const std::string& topic) {
  auto log = std::make_unique<KafkaStreamLog>(access, topic);
  DS_TRY(log->connect());
  return std::unique_ptr<protocol::StreamLog>(std::move(log));
}

}  // namespace datasync::kafka
