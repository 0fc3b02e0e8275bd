#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/kafka/client.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Limits and settings of a producer.
struct ProducerOptions {
  std::uint64_t max_in_flight_bytes = 24ULL << 20U;  ///< queued or sent, and not acknowledged; `produce` waits above it
  std::chrono::microseconds linger{
      300};  ///< records produced within this time share a request, and so do all that wait for one
  std::string compression = "none";
  std::chrono::milliseconds delivery_watchdog{30000};  ///< the oldest record may wait this long while brokers respond
  std::uint32_t max_message_bytes = 1000000;
};

/// Reports that a record was stored; `token` is the caller's.
using OnDelivered = std::function<void(std::uint64_t token, std::int64_t offset)>;

/// An idempotent producer with acks=all. Order is kept per partition, without gaps: no record is dropped while brokers
/// are unreachable. After a fatal error, or a record that could not be delivered, the producer has failed: create a new
/// one and start a new epoch. Call `produce` from one thread; reports come on a thread of the producer.
class Producer {
 public:
  /// Creates a producer; first requests the metadata of the topic. Errors: BrokerUnreachable, CredentialsRejected,
  /// CertificateRejected, PermissionDenied, TopicMissing, ConfigInvalid.
  static base::Result<std::unique_ptr<Producer>> open(const Access& access, const std::string& topic,
                                                      const ProducerOptions& options, OnDelivered on_delivered);
  /// Discards the queued records; call `flush` first to keep them. Records already sent may still be stored.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Queues a record without copying the value. Waits while too many bytes are in flight (during a broker outage, until
  /// it ends). Errors: Stopping; RowTooLarge (this record; it was not queued); those of `health`.
  base::Result<void> produce(std::int32_t partition, const message::Headers& headers, const std::string& key,
                             base::Buffer value, std::uint64_t token, std::stop_token stop);
  /// Waits until every record produced before the call is acknowledged, even if more are produced in the meantime.
  /// Errors: Stopping; those of `health`.
  base::Result<void> flush(std::stop_token stop);
  /// Returns the error with which this producer failed, if any; cheap. ProducerFailed, RowTooLarge, TopicMissing,
  /// PermissionDenied, CredentialsRejected, CertificateRejected or BrokerRejected.
  base::Result<void> health() const;
  [[nodiscard]] std::uint64_t in_flight_bytes() const noexcept;
  /// Returns true while no broker can be reached.
  [[nodiscard]] bool brokers_down() const noexcept;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kafka
