#pragma once
// Where records go: the streams. Announces each to the AckTracker before it is produced.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/kafka/producer.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/acks.hpp"

namespace datasync::capture {

/// The streams as the parts that make records see them. Thread-safe; order is kept per stream in the order of the
/// calls.
class Output {
 public:
  using OnAcked = std::function<void()>;

  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  virtual ~Output() = default;

  /// A record of transaction `gtid`. Waits while too much is in flight. Errors: those of kafka::Producer.
  virtual base::Result<void> change(std::int32_t stream, message::Headers headers, base::Buffer value,
                                    const message::Gtid& gtid) = 0;
  /// A record that belongs to no transaction. `on_acked` is called from another thread once it stands in the stream.
  virtual base::Result<void> between(std::int32_t stream, message::Headers headers, const std::string& value,
                                     OnAcked on_acked) = 0;
  /// The same without a copy of the value.
  virtual base::Result<void> between_rows(std::int32_t stream, message::Headers headers, base::Buffer value,
                                          OnAcked on_acked) {
    return between(stream, std::move(headers), std::string(value.text()), std::move(on_acked));
  }
  /// The transaction is over in the binlog.
  virtual void finished(const message::Gtid& gtid) = 0;
};

/// One epoch's way into Kafka.
class KafkaOutput final : public Output {
 public:
  static base::Result<std::unique_ptr<KafkaOutput>> open(const kafka::Access& access, const std::string& topic,
                                                         const kafka::ProducerOptions& options, message::Epoch epoch,
                                                         protocol::AckTracker& acks, std::stop_token stop);

  base::Result<void> change(std::int32_t stream, message::Headers headers, base::Buffer value,
                            const message::Gtid& gtid) override;
  base::Result<void> between(std::int32_t stream, message::Headers headers, const std::string& value,
                             OnAcked on_acked) override;
  base::Result<void> between_rows(std::int32_t stream, message::Headers headers, base::Buffer value,
                                  OnAcked on_acked) override;
  void finished(const message::Gtid& gtid) override { acks_.finished(gtid); }

  /// For what is still to be sent after a stop: waits for room until `until` from now on.
  void last_words(std::stop_token until);
  /// Calls no `on_acked` any more; none runs when this returns.
  void forget_waiting();
  /// Waits until everything produced before the call is acknowledged. Errors: Stopping; ProducerFailed.
  base::Result<void> flush();
  [[nodiscard]] base::Result<void> health() const { return producer_->health(); }
  [[nodiscard]] std::uint64_t in_flight_bytes() const noexcept { return producer_->in_flight_bytes(); }
  [[nodiscard]] bool brokers_down() const noexcept { return producer_->brokers_down(); }
  /// Records and bytes acknowledged so far.
  [[nodiscard]] std::uint64_t acked_records() const noexcept { return acked_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t produced_bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  KafkaOutput(message::Epoch epoch, protocol::AckTracker& acks, std::stop_token stop)
      : epoch_(epoch), acks_(acks), stop_(std::move(stop)) {}
  void delivered(std::uint64_t token, std::int64_t offset);

  message::Epoch epoch_;
  protocol::AckTracker& acks_;
  std::stop_token stop_;      ///< guarded by produce_mutex_
  std::mutex produce_mutex_;  ///< one producer at a time: the order of tokens is the order on the stream
  std::mutex waiting_mutex_;
  std::map<std::uint64_t, OnAcked> waiting_;
  std::atomic<std::size_t> waiting_count_ = 0;
  std::atomic<std::uint64_t> acked_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::unique_ptr<kafka::Producer> producer_;  ///< last: its thread calls `delivered`
};

}  // namespace datasync::capture
