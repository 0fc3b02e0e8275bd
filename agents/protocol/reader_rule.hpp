#pragma once
// The rule of every reader of a stream: apply, a recovering capture, and any other.

#include <cstdint>

#include "agents/message/record.hpp"

namespace datasync::protocol {

/// "The current epoch is the highest epoch whose start has been read; records of lower epochs are always ignored; a
/// higher start discards an unfinished transaction." Pass every record of one stream to it, in order.
class ReaderRule {
 public:
  enum class Verdict : std::uint8_t {
    Take,      ///< the record counts
    Ignore,    ///< a record of a lower epoch (of a zombie), or a repeated start
    NewEpoch,  ///< a higher start: discard any unfinished transaction
    Foreign,   ///< an epoch above the current one without its start: not a DataSync record, or offsets were skipped
  };
  explicit ReaderRule(message::Epoch current = {}) : epoch_(current) {}
  /// Returns what to do with the next record of the stream.
  Verdict see(const message::Headers& headers) noexcept;
  [[nodiscard]] message::Epoch epoch() const noexcept { return epoch_; }

 private:
  message::Epoch epoch_;
};

}  // namespace datasync::protocol
