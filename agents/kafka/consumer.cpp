#include "agents/kafka/consumer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "agents/kafka/handle.hpp"
#include "agents/kafka/headers.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kOpenDeadline{10000};
constexpr base::Millis kCheckDeadline{5000};
constexpr base::Millis kRestartWait{100};
constexpr base::Millis kQuiet{5000};
constexpr std::size_t kBatch = 512;

Settings settings_of(const ConsumerOptions& o) {
  return {{"auto.offset.reset", "error"},
          {"enable.auto.commit", "false"},
          {"enable.partition.eof", "true"},
          {"check.crcs", "true"},
          // An open transaction of another producer must not hold back our records; DataSync writes none.
          {"isolation.level", "read_uncommitted"},
          {"fetch.wait.max.ms", "10"},
          {"fetch.error.backoff.ms", "100"},
          {"fetch.message.max.bytes", std::to_string(o.max_fetch_bytes)},
          {"fetch.max.bytes", std::to_string(o.max_fetch_bytes)},
          {"receive.message.max.bytes", std::to_string(std::max(o.max_fetch_bytes, 100000000U) + 1024)},
          {"queued.max.messages.kbytes", std::to_string(o.queue_kbytes)}};
}

rd_kafka_message_t& raw(void* message) noexcept {
  return *static_cast<rd_kafka_message_t*>(message);
}

/// The client and its handles. Records share it, because destroying a client hangs while a message of it exists.
struct Client {
  ClientEvents events;
  ClientPtr client;
  TopicPtr topic;
  QueuePtr queue;
};

}  // namespace

Record::Record(Record&& o) noexcept : client_(std::move(o.client_)), message_(std::exchange(o.message_, nullptr)) {}
Record& Record::operator=(Record&& o) noexcept {
  if (this != &o) {
    destroy();
    client_ = std::move(o.client_);
    message_ = std::exchange(o.message_, nullptr);
  }
  return *this;
}
Record::~Record() {
  destroy();
}
void Record::destroy() noexcept {
  if (message_ != nullptr) rd_kafka_message_destroy(&raw(message_));
  message_ = nullptr;
}
std::int64_t Record::offset() const noexcept {
  return raw(message_).offset;
}
std::int64_t Record::timestamp_ms() const noexcept {
  return rd_kafka_message_timestamp(&raw(message_), nullptr);
}
std::string_view Record::key() const noexcept {
  const auto& m = raw(message_);
  return {static_cast<const char*>(m.key), m.key == nullptr ? 0 : m.key_len};
}
base::Bytes Record::value() const noexcept {
  const auto& m = raw(message_);
  return {static_cast<const std::byte*>(m.payload), m.payload == nullptr ? 0 : m.len};
}
bool Record::tombstone() const noexcept {
  return raw(message_).payload == nullptr;
}
base::Result<message::Headers> Record::headers() const {
  return decode_headers(raw(message_));
}

bool Record::may_be_ours() const {
  return has_header(raw(message_), "kind");
}

struct Consumer::Impl {
  Impl(std::string name, std::int32_t number) : topic(std::move(name)), partition(number) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    drop_batch();
    stop();
  }

  base::Result<void> start(std::int64_t offset);
  void stop();
  void drop_batch();
  base::Result<void> restart();
  void fetch(base::Millis wait);
  base::Result<void> outage();
  base::Result<void> failed(const rd_kafka_message_t& m);
  base::Result<void> out_of_range();
  base::Result<void> grown_back(const std::string& reported);
  base::Result<void> quiet();
  std::string place() const { return fmt::format("topic {}, partition {}", topic, partition); }

  const std::string topic;
  const std::int32_t partition;
  std::shared_ptr<Client> client = std::make_shared<Client>();
  bool running = false;
  std::int64_t position = 0;
  base::SteadyTime heard =
      base::steady_now();  ///< time of the last record, or of the last check whether the position exists
  std::array<rd_kafka_message_t*, kBatch> batch{};
  std::size_t batch_next = 0, batch_end = 0;
};

base::Result<void> Consumer::Impl::start(std::int64_t offset) {
  position = offset;
  // Use a new queue: records fetched for the old position stay in the old queue.
  client->queue.reset(rd_kafka_queue_new(client->client.get()));
  if (rd_kafka_consume_start_queue(client->topic.get(), partition, offset, client->queue.get()) != 0)
    return from_kafka(rd_kafka_last_error(), "starting to read " + place());
  running = true;
  return {};
}

void Consumer::Impl::stop() {
  if (running) rd_kafka_consume_stop(client->topic.get(), partition);
  running = false;
}

void Consumer::Impl::drop_batch() {
  for (; batch_next < batch_end; ++batch_next) rd_kafka_message_destroy(batch[batch_next]);
  batch_next = batch_end = 0;
}

// rd_kafka_seek is not used: its timeout is a thousand times too short before 2.1.0 (#4230).
base::Result<void> Consumer::Impl::restart() {
  drop_batch();
  stop();
  return start(position);
}

// A batch call waits until the batch is full or the time has passed, so wait for the first record alone.
void Consumer::Impl::fetch(base::Millis wait) {
  drop_batch();
  batch[0] = rd_kafka_consume_queue(client->queue.get(), static_cast<int>(wait.count()));
  if (batch[0] == nullptr) return;
  const auto more = rd_kafka_consume_batch_queue(client->queue.get(), 0, &batch[1], kBatch - 1);
  batch_end = 1 + (more > 0 ? static_cast<std::size_t>(more) : 0);
}

base::Result<void> Consumer::Impl::outage() {
  rd_kafka_poll(client->client.get(), 0);
  if (client->events.take_all_down()) return client->events.unreachable("reading " + place());
  return {};
}

/// Returns an error that names the offset when the offset no longer exists, or does not exist yet.
base::Result<void> Consumer::Impl::out_of_range() {
  DS_ASSIGN(const auto ends, partition_ends(client->client.get(), topic, partition, client->events, kCheckDeadline));
  if (position < ends.low)
    return Error(Reason::OffsetExpired, fmt::format("{}: the first lost offset is {}, the first available one is {}",
                                                    place(), position, ends.low));
  if (position > ends.high)
    return Error(
        Reason::LogTruncated,
        fmt::format("{}: it ends at offset {}, but everything before {} was read already; {}", place(), ends.high,
                    position, ends.low == 0 ? "the topic was recreated, or its end was lost" : "its end was lost"));
  return {};
}

/// Silence may mean that the topic was deleted: the client refreshes its metadata only every five minutes.
base::Result<void> Consumer::Impl::quiet() {
  if (base::steady_now() - heard < kQuiet) return {};
  heard = base::steady_now();
  return out_of_range();
}

/// The offset exists again, but it may be in another log: a truncated log that has grown again, or a recreated topic of
/// this name. (From 2.1 on, librdkafka detects a truncated log by its leader epochs and reports the same error.) The
/// caller must compare the last record it has read.
base::Result<void> Consumer::Impl::grown_back(const std::string& reported) {
  DS_TRY(out_of_range());
  return Error(
      Reason::BrokerRejected,
      fmt::format("{}; the offset exists again, but the log may have been truncated or recreated: reading begins "
                  "again and first compares the last record that was read",
                  reported));
}

base::Result<void> Consumer::Impl::failed(const rd_kafka_message_t& m) {
  const auto code = m.err;
  auto error = from_kafka(code, fmt::format("reading {}, offset {}", place(), position), rd_kafka_message_errstr(&m));
  // Reading has stopped with this error: restart at the same position for the next call.
  DS_TRY(restart());
  if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return grown_back(error.what);
  } else if (code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
             code == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED || code == RD_KAFKA_RESP_ERR__UNDERFLOW) {
    error.reason = Reason::ForeignMessage;
    return error;
  } else if (error.is(Reason::TopicMissing)) {
    DS_TRY(confirm_topic(client->client.get(), topic, client->events, kCheckDeadline));
    return grown_back(error.what);
  } else if (!error.is(Reason::BrokerUnreachable)) {
    return error;
  }
  std::this_thread::sleep_for(kRestartWait);  // a leader is being elected
  return {};
}

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::~Consumer() = default;

base::Result<std::unique_ptr<Consumer>> Consumer::open(const Access& access, const std::string& topic,
                                                       std::int32_t partition, std::int64_t offset,
                                                       const ConsumerOptions& options) {
  auto impl = std::make_unique<Impl>(topic, partition);
  auto& c = *impl->client;
  DS_ASSIGN(c.client, make_client(RD_KAFKA_CONSUMER, access, settings_of(options), c.events));
  c.topic.reset(rd_kafka_topic_new(c.client.get(), topic.c_str(), nullptr));
  if (c.topic == nullptr) return from_kafka(rd_kafka_last_error(), "opening topic " + topic);
  DS_ASSIGN(const auto ends, partition_ends(c.client.get(), topic, partition, c.events, kOpenDeadline));
  impl->position = offset == kFirst ? ends.low : offset;
  DS_TRY(impl->out_of_range());
  DS_TRY(impl->start(impl->position));
  return std::unique_ptr<Consumer>(new Consumer(std::move(impl)));
}

base::Result<std::optional<Record>> Consumer::next(std::chrono::milliseconds wait) {
  auto& i = *impl_;
  const auto until = base::steady_now() + wait;
  for (;;) {
    if (i.batch_next == i.batch_end) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - base::steady_now());
      i.fetch(std::max(left, base::Millis(0)));
      if (i.batch_end == 0) {
        DS_TRY(i.outage());
        DS_TRY(i.quiet());
        return std::optional<Record>();
      }
    }
    auto* m = std::exchange(i.batch[i.batch_next++], nullptr);
    Record record(i.client, m);
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      i.position = std::max(i.position, m->offset);
    } else if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      DS_TRY(i.failed(*m));
    } else if (m->offset >= i.position) {
      i.position = m->offset + 1;
      i.heard = base::steady_now();
      return std::optional<Record>(std::move(record));
    }
  }
}

std::int64_t Consumer::position() const noexcept {
  return impl_->position;
}

base::Result<Watermarks> Consumer::watermarks(std::chrono::milliseconds deadline) {
  DS_ASSIGN(const auto ends, partition_ends(impl_->client->client.get(), impl_->topic, impl_->partition,
                                            impl_->client->events, deadline));
  return Watermarks{ends.low, ends.high};
}

base::Result<void> Consumer::seek(std::int64_t offset) {
  impl_->position = offset;
  return impl_->restart();
}

}  // namespace datasync::kafka
