#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/kafka/client.hpp"
#include "agents/message/record.hpp"

namespace datasync::kafka {

/// Memory limits of a consumer.
struct ConsumerOptions {
  std::uint32_t queue_kbytes = 16384;         ///< fetched and not read yet
  std::uint32_t max_fetch_bytes = 8U << 20U;  ///< of one response; a larger record is returned alone
};

/// A fetched record. It owns its memory and shares the client that fetched it; headers are decoded on demand.
class Record {
 public:
  Record(Record&&) noexcept;
  Record& operator=(Record&&) noexcept;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record();
  [[nodiscard]] std::int64_t offset() const noexcept;
  [[nodiscard]] std::int64_t timestamp_ms() const noexcept;  ///< -1: none
  [[nodiscard]] std::string_view key() const noexcept;
  [[nodiscard]] base::Bytes value() const noexcept;
  [[nodiscard]] bool tombstone() const noexcept;  ///< null value
  /// Decodes the headers. Errors: ForeignMessage naming topic, partition and offset.
  [[nodiscard]] base::Result<message::Headers> headers() const;
  /// Returns true when the record has a header that every DataSync record has, even if the header cannot be decoded.
  /// Otherwise it was not written by DataSync.
  [[nodiscard]] bool may_be_ours() const;

 private:
  friend class Consumer;
  Record(std::shared_ptr<void> client, void* message) noexcept : client_(std::move(client)), message_(message) {}
  void destroy() noexcept;

  std::shared_ptr<void> client_;
  void* message_ = nullptr;
};

/// The available offsets of a partition.
struct Watermarks {
  std::int64_t low = 0;   ///< the first available offset
  std::int64_t high = 0;  ///< one past the last
};

/// Reads one partition from an offset, without group, auto commit or offset reset: an offset that does not exist is an
/// error. CRCs are checked. Not thread-safe; other threads may use its records.
class Consumer {
 public:
  static constexpr std::int64_t kFirst = -2;  ///< as an offset: the first available one

  /// Opens a partition; first requests its watermarks from the leader. Errors: as `next`; ConfigInvalid.
  static base::Result<std::unique_ptr<Consumer>> open(const Access& access, const std::string& topic,
                                                      std::int32_t partition, std::int64_t offset,
                                                      const ConsumerOptions& options = {});
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// Returns the next record, or nullopt when none arrives within `wait` (0: only records that are already fetched).
  /// After an error the next call requests the same record again. Errors: OffsetExpired naming the first lost and the
  /// first available offset; LogTruncated (also when the topic was recreated); TopicMissing (confirmed by several
  /// requests); BrokerUnreachable (once per outage; reading continues when brokers respond again); BrokerRejected (also
  /// when the offset or the topic was missing for a moment: the next records may be from another log, so compare the
  /// last record that was read before you continue); CredentialsRejected; CertificateRejected; PermissionDenied;
  /// ForeignMessage (damaged on the broker).
  base::Result<std::optional<Record>> next(std::chrono::milliseconds wait);
  /// Returns one past the last returned record, or, once the end was reached, also past records that compaction
  /// removed.
  [[nodiscard]] std::int64_t position() const noexcept;
  /// Returns the watermarks that the leader reports now. Errors: BrokerUnreachable and as `next`.
  base::Result<Watermarks> watermarks(std::chrono::milliseconds deadline = std::chrono::seconds(5));
  /// Continues reading at `offset`.
  base::Result<void> seek(std::int64_t offset);

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kafka
