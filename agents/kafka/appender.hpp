#pragma once
// Appends one record at a time and waits for it; the protocol's logs use it. For the .cpp files of this folder only.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "agents/kafka/handle.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Appends to one topic with acks=all and waits for the delivery report, at most until the deadline. Thread-safe: one
/// append at a time.
class Appender {
 public:
  Appender(Access access, std::string topic) : access_(std::move(access)), topic_(std::move(topic)) {}
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;
  ~Appender() = default;

  /// Appends a record and returns its offset. Errors with unknown outcome: BrokerUnreachable, ProducerFailed. Errors
  /// that mean the record was refused: RowTooLarge, PermissionDenied, TopicMissing, CredentialsRejected,
  /// CertificateRejected, BrokerRejected.
  base::Result<std::int64_t> append(std::int32_t partition, const message::Headers& headers, const std::string& key,
                                    const std::string& value);
  /// As append, for a record without a value.
  base::Result<std::int64_t> append_tombstone(std::int32_t partition, const message::Headers& headers,
                                              const std::string& key);

 private:
  struct Report;
  base::Result<void> connect();
  base::Result<std::int64_t> append(std::int32_t partition, const message::Headers& headers, const std::string& key,
                                    base::Bytes value);
  void drop();

  std::mutex mutex_;
  const Access access_;
  const std::string topic_;
  ClientEvents events_;
  ClientPtr client_;
  TopicPtr handle_;
};

}  // namespace datasync::kafka
