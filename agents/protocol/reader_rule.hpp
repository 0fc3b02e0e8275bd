#pragma once
// The reader's rule, the same for apply, for a recovering capture and for any other reader of a stream.

#include <cstdint>

#include "agents/message/record.hpp"

namespace datasync::protocol {

/// "The current epoch is the highest epoch whose start has been read; records of lower epochs are ignored for ever; a
/// higher start discards an unfinished transaction." Feed it every record of one stream in order.
class ReaderRule {
 public:
  enum class Verdict : std::uint8_t {
    Take,      ///< the record counts
    Ignore,    ///< a record of a lower epoch (a zombie's), or a repeated start
    NewEpoch,  ///< a higher start: forget any unfinished transaction
    Foreign,   ///< an epoch above the current one without its start: not ours, or offsets were skipped
  };
  explicit ReaderRule(message::Epoch current = {}) : epoch_(current) {}
  Verdict see(const message::Headers& headers) noexcept;
  [[nodiscard]] message::Epoch epoch() const noexcept { return epoch_; }

 private:
  message::Epoch epoch_;
};

}  // namespace datasync::protocol
