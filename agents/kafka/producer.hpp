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

struct ProducerOptions {
  std::uint64_t max_in_flight_bytes = 24ULL << 20U;  ///< handed over and not acknowledged; `produce` waits above it
  std::chrono::microseconds linger{
      300};  ///< what is produced meanwhile shares a request; so does all that waits for one
  std::string compression = "none";
  std::chrono::milliseconds delivery_watchdog{30000};  ///< the oldest record may wait so long while brokers answer
  std::uint32_t max_message_bytes = 1000000;
};

/// What became of a record; `token` is the caller's.
using OnDelivered = std::function<void(std::uint64_t token, std::int64_t offset)>;

/// An idempotent producer with acks=all. Order is kept per partition, without gaps: no record is ever given up while
/// brokers are away. After a fatal error, or a record that could not be delivered, it is failed: make a new one and
/// start a new epoch. `produce` from one thread; reports come on a thread of the producer.
class Producer {
 public:
  /// Asks the cluster for the topic first. Errors: BrokerUnreachable, CredentialsRejected, CertificateRejected,
  /// PermissionDenied, TopicMissing, ConfigInvalid.
  static base::Result<std::unique_ptr<Producer>> open(const Access& access, const std::string& topic,
                                                      const ProducerOptions& options, OnDelivered on_delivered);
  /// Drops what is still queued; call `flush` first to keep it. What is on the wire may still land.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Hands a record over without copying the value. Waits while too much is in flight (broker outage: for as long as it
  /// lasts). Errors: Stopping; RowTooLarge (this record; nothing was handed over); those of `health`.
  base::Result<void> produce(std::int32_t partition, const message::Headers& headers, const std::string& key,
                             base::Buffer value, std::uint64_t token, std::stop_token stop);
  /// Waits until everything handed over before the call is acknowledged, whatever is handed over meanwhile. Errors:
  /// Stopping; those of `health`.
  base::Result<void> flush(std::stop_token stop);
  /// The error that ended this producer, if any; cheap. ProducerFailed, RowTooLarge, TopicMissing, PermissionDenied,
  /// CredentialsRejected, CertificateRejected or BrokerRejected.
  base::Result<void> health() const;
  [[nodiscard]] std::uint64_t in_flight_bytes() const noexcept;
  /// True while no broker can be reached.
  [[nodiscard]] bool brokers_down() const noexcept;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kafka
