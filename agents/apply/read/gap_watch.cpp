#include "agents/apply/read/gap_watch.hpp"

#include <fmt/format.h>

namespace datasync::apply {

base::Result<void> GapWatch::missing(std::int64_t to) const {
  return base::Error(
      base::Reason::OffsetExpired,
      fmt::format(
          "topic {}, partition {}: the records at the offsets {} to {} were removed before they were applied: "
          "the topic was compacted, or records were deleted. What they hold is lost. Set cleanup.policy=delete, "
          "then copy everything again: see 'The topic lost records' in docs/operate.md",
          topic_, partition_, next_, to - 1));
}

base::Result<void> GapWatch::see(std::int64_t offset) {
  if (offset > next_) return missing(offset);
  next_ = offset + 1;
  return {};
}

base::Result<void> GapWatch::end(std::int64_t position) {
  return position > next_ ? missing(position) : base::Result<void>();
}

}  // namespace datasync::apply
