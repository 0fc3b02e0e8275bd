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

struct ConsumerOptions {
  std::uint32_t queue_kbytes = 16384;         ///< fetched and not yet read
  std::uint32_t max_fetch_bytes = 8U << 20U;  ///< of one answer; a larger record comes alone
};

/// A record as fetched. Owns its memory and keeps the client alive that fetched it; headers are decoded on demand.
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
  /// Errors: ForeignMessage naming topic, partition and offset.
  [[nodiscard]] base::Result<message::Headers> headers() const;
  /// It has a header that every record of ours has, readable or not. Without one it was never ours.
  [[nodiscard]] bool may_be_ours() const;

 private:
  friend class Consumer;
  Record(std::shared_ptr<void> client, void* message) noexcept : client_(std::move(client)), message_(message) {}
  void destroy() noexcept;

  std::shared_ptr<void> client_;
  void* message_ = nullptr;
};

struct Watermarks {
  std::int64_t low = 0;   ///< first offset that is there
  std::int64_t high = 0;  ///< one past the last
};

/// Reads one partition from an offset, no group, no auto commit, no reset: an offset that is not there is an error.
/// CRCs are checked. Not thread-safe; its records may live on in other threads.
class Consumer {
 public:
  static constexpr std::int64_t kFirst = -2;  ///< as an offset: the first that is there

  /// Asks the leader for its watermarks first. Errors: as `next`; ConfigInvalid.
  static base::Result<std::unique_ptr<Consumer>> open(const Access& access, const std::string& topic,
                                                      std::int32_t partition, std::int64_t offset,
                                                      const ConsumerOptions& options = {});
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// The next record, or nullopt when none came within `wait` (0: only what is fetched already). After an error the
  /// same record is asked for again. Errors: OffsetExpired naming first lost and first available; LogTruncated (also:
  /// the topic was made anew); TopicMissing (confirmed on several tries); BrokerUnreachable (once per outage; reading
  /// goes on when brokers are back); BrokerRejected (also when the offset or the topic was not there for a moment: what
  /// follows may be of another log, so compare what was read before going on); CredentialsRejected;
  /// CertificateRejected; PermissionDenied; ForeignMessage (damaged on the broker).
  base::Result<std::optional<Record>> next(std::chrono::milliseconds wait);
  /// One past the last record handed out; past what compaction removed too once the end was reached.
  [[nodiscard]] std::int64_t position() const noexcept;
  /// As the leader sees them now. Errors: BrokerUnreachable and as `next`.
  base::Result<Watermarks> watermarks(std::chrono::milliseconds deadline = std::chrono::seconds(5));
  base::Result<void> seek(std::int64_t offset);

 private:
  struct Impl;
  explicit Consumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::kafka
