#include "agents/kafka/producer.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "agents/base/log.hpp"
#include "agents/kafka/hand_over.hpp"
#include "agents/kafka/handle.hpp"
#include "agents/kafka/producer_settings.hpp"
#include "agents/kafka/rounds.hpp"
#include "agents/kafka/watchdog.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kPollWait{50}, kOpenDeadline{5000}, kProbeDeadline{1000}, kProbeEvery{500};
constexpr int kPurgeWaitMs = 2000;

/// A failure with a more specific reason than ProducerFailed replaces one without.
bool says_more(const Error& next, const Error& present) noexcept {
  return present.is(Reason::ProducerFailed) && !next.is(Reason::ProducerFailed);
}

}  // namespace

struct Producer::Impl final : ClientEvents {
  Impl(std::string topic_name, const ProducerOptions& o, OnDelivered on)
      : topic(std::move(topic_name)),
        options(o),
        on_delivered(std::move(on)),
        watchdog(o.delivery_watchdog),
        rounds(round_bytes(o)) {}
  ~Impl() override;

  void on_error(rd_kafka_resp_err_t code, const char* text) noexcept override;
  void on_report(const rd_kafka_message_t& m);
  void undelivered(const rd_kafka_message_t& m);
  void fail(Error error);
  void wake();
  void poll(const std::stop_token& stop);
  void look_after();
  bool brokers_answer();
  void up();
  template <class Predicate>
  void wait(const std::stop_token& stop, Predicate predicate);
  base::Result<void> wait_for_room(std::uint64_t size, const std::stop_token& stop);
  void hand_over(std::int32_t partition);
  base::Result<void> hand_over(std::int32_t partition, Outgoing record);
  base::Result<void> health() const;

  const std::string topic;
  const ProducerOptions options;
  const OnDelivered on_delivered;
  DeliveryWatchdog watchdog;
  Rounds rounds;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> records = 0;
  std::atomic<bool> down = false;
  std::atomic<bool> failed = false;
  std::atomic<bool> closing = false;
  std::atomic<bool> topic_doubted = false;
  std::atomic<int> waiters = 0;
  mutable std::mutex mutex;
  std::condition_variable_any changed;
  std::optional<Error> error;
  base::SteadyTime next_probe;
  ClientPtr client;  ///< declared before the handles that belong to it
  TopicPtr handle;
  std::jthread poller;
};

Producer::Impl::~Impl() {
  closing = true;
  poller.request_stop();
  if (poller.joinable()) poller.join();
  if (client == nullptr) return;
  // Destroying the handle hangs while messages exist: purge them, then poll their reports.
  rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client.get(), kPurgeWaitMs);
}

void Producer::Impl::fail(Error why) {
  {
    const std::scoped_lock lock(mutex);
    if (error && !says_more(why, *error)) return;
    base::log::warn("the Kafka producer has failed", {{"topic", topic}, {"error", why.what}});
    error = std::move(why);
    failed = true;
  }
  changed.notify_all();
  rounds.clear();
  // No record may be stored after a record that was not.
  rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void Producer::Impl::on_error(rd_kafka_resp_err_t code, const char* text) noexcept {
  ClientEvents::on_error(code, text);
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    fail({Reason::ProducerFailed, fmt::format("topic {}: {}", topic, text)});
  } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    if (!down.exchange(true)) base::log::warn("no Kafka broker can be reached", {{"topic", topic}});
    // A client keeps the secrets with which it was created; only a new one can have rotated ones.
    const auto last = unreachable(fmt::format("producing to topic {}", topic));
    if (refused(last)) fail(last);
  }
}

void Producer::Impl::on_report(const rd_kafka_message_t& m) {
  const auto token = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(m._private));
  if (m.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (down) up();
    on_delivered(token, m.offset);
    rounds.acknowledged(m.partition, base::steady_now());
  } else if (!closing) {
    undelivered(m);
  }
  watchdog.reported(m.partition, base::steady_now());
  bytes -= queued_bytes(m.len, m.key_len);
  --records;
  wake();
  hand_over(m.partition);
}

void Producer::Impl::undelivered(const rd_kafka_message_t& m) {
  auto why = from_kafka(m.err, fmt::format("producing to topic {}, partition {}", topic, m.partition));
  switch (why.reason) {
    case Reason::TopicMissing:
      topic_doubted = true;  // `look_after` confirms it
      why.reason = Reason::ProducerFailed;
      break;
    case Reason::BrokerUnreachable:
      why.reason = Reason::ProducerFailed;
      break;
    case Reason::BrokerRejected:
      if (failed) return;  // purged because of the earlier failure
      break;
    default:
      break;
  }
  fail(std::move(why));
}

// With the lock, the notification comes after the check of a waiter that is about to sleep.
void Producer::Impl::wake() {
  if (waiters == 0) return;
  { const std::scoped_lock lock(mutex); }
  changed.notify_all();
}

template <class Predicate>
void Producer::Impl::wait(const std::stop_token& stop, Predicate predicate) {
  ++waiters;
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, predicate);
  }
  --waiters;
}

void Producer::Impl::poll(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    rd_kafka_poll(client.get(), static_cast<int>(kPollWait.count()));
    look_after();
  }
}

void Producer::Impl::look_after() {
  if (topic_doubted) {
    topic_doubted = false;
    const auto there = confirm_topic(client.get(), topic, *this, kProbeDeadline);
    if (!there && there.error().is(Reason::TopicMissing)) fail(there.error());
  }
  const auto now = base::steady_now();
  if (failed || now < next_probe || (!down && !watchdog.suspicious(now))) return;
  next_probe = now + kProbeEvery;
  const bool answers = brokers_answer();
  if (answers) up();
  // Brokers that return with other secrets are reported as down only once: see on_error.
  if (const auto last = unreachable(fmt::format("producing to topic {}", topic)); !answers && down && refused(last))
    fail(last);
  if (const auto stuck = watchdog.look(answers, base::steady_now()))
    fail({Reason::ProducerFailed,
          fmt::format("topic {}: no delivery report for {} ms though brokers answer", topic, stuck->count())});
}

void Producer::Impl::up() {
  forget();
  if (down.exchange(false)) base::log::info("a Kafka broker answers again", {{"topic", topic}});
}

bool Producer::Impl::brokers_answer() {
  const auto there = topic_metadata(client.get(), topic, *this, kProbeDeadline);
  return there.has_value();
}

base::Result<void> Producer::Impl::health() const {
  if (!failed.load(std::memory_order_relaxed)) return {};
  const std::scoped_lock lock(mutex);
  return *error;
}

base::Result<void> Producer::Impl::wait_for_room(std::uint64_t size, const std::stop_token& stop) {
  const auto room = [&] { return bytes == 0 || bytes + size <= options.max_in_flight_bytes; };
  if (!room() && !failed) wait(stop, [&] { return failed || room(); });
  DS_TRY(health());
  if (stop.stop_requested()) return Error(Reason::Stopping, "stopped while producing");
  return {};
}

/// Runs on the caller's thread when no record of the partition is in flight, otherwise on the thread of the reports.
void Producer::Impl::hand_over(std::int32_t partition) {
  if (failed || closing) return;
  for (auto& record : rounds.next(partition, base::steady_now())) {
    if (failed) return;  // another thread failed it in the meantime and purged the records queued before
    if (auto handed = hand_over(partition, std::move(record)); !handed) return fail(std::move(handed).error());
  }
}

base::Result<void> Producer::Impl::hand_over(std::int32_t partition, Outgoing record) {
  watchdog.produced(partition, base::steady_now());
  const auto refused =
      kafka::hand_over(client.get(), handle.get(), partition, record.headers, record.key, record.value.bytes(),
                       Value::Given, reinterpret_cast<void*>(static_cast<std::uintptr_t>(record.token)));
  if (refused != nullptr) {
    watchdog.withdrawn(partition);
    return from_kafka(rd_kafka_error_code(refused.get()),
                      fmt::format("producing {} bytes to topic {}", record.value.size(), topic),
                      rd_kafka_error_string(refused.get()));
  }
  std::ignore = record.value.release();
  return {};
}

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::~Producer() = default;

base::Result<std::unique_ptr<Producer>> Producer::open(const Access& access, const std::string& topic,
                                                       const ProducerOptions& options, OnDelivered on_delivered) {
  auto impl = std::make_unique<Impl>(topic, options, std::move(on_delivered));
  const auto on_delivery = [](rd_kafka_t*, const rd_kafka_message_t* m, void* opaque) {
    static_cast<Impl*>(static_cast<ClientEvents*>(opaque))->on_report(*m);
  };
  DS_ASSIGN(impl->client, make_client(RD_KAFKA_PRODUCER, access, producer_settings(options), *impl, on_delivery));
  impl->handle.reset(rd_kafka_topic_new(impl->client.get(), topic.c_str(), nullptr));
  if (impl->handle == nullptr) return from_kafka(rd_kafka_last_error(), "opening topic " + topic);
  auto& self = *impl;
  impl->poller = std::jthread([&self](const std::stop_token& stop) { self.poll(stop); });
  DS_TRY(confirm_topic(impl->client.get(), topic, *impl, kOpenDeadline));
  return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

base::Result<void> Producer::produce(std::int32_t partition, const message::Headers& headers, const std::string& key,
                                     base::Buffer value, std::uint64_t token, std::stop_token stop) {
  const auto bytes = value.size() + key.size();
  if (bytes > impl_->options.max_message_bytes)
    return from_kafka(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                      fmt::format("producing {} bytes to topic {}", bytes, impl_->topic));
  const auto size = queued_bytes(value.size(), key.size());
  DS_TRY(impl_->wait_for_room(size, stop));
  impl_->bytes += size;
  ++impl_->records;
  impl_->rounds.add(partition, {headers, key, std::move(value), token});
  impl_->hand_over(partition);
  return impl_->health();
}

base::Result<void> Producer::flush(std::stop_token stop) {
  // Under load some record is always in flight, so waiting until none is would never end.
  const auto mark = impl_->rounds.added();
  const auto there = [&] { return impl_->rounds.acknowledged(mark); };
  impl_->wait(stop, [&] { return there() || impl_->failed; });
  DS_TRY(impl_->health());
  if (!there()) return Error(Reason::Stopping, "stopped while records were on their way");
  return {};
}

base::Result<void> Producer::health() const {
  return impl_->health();
}
std::uint64_t Producer::in_flight_bytes() const noexcept {
  return impl_->bytes;
}
bool Producer::brokers_down() const noexcept {
  return impl_->down;
}

}  // namespace datasync::kafka
