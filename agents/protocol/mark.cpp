#include "agents/protocol/mark.hpp"

#include <algorithm>

#include <xxhash.h>

namespace datasync::protocol {

// Both ends of a long value are sufficient: the first has the identity of the record, and the size is hashed too.
std::uint64_t mark_of(const message::Headers& headers, base::Bytes value) noexcept {
  constexpr std::size_t kEnd = 256;
  const auto head = value.first(std::min(kEnd, value.size()));
  const auto tail = value.last(std::min(kEnd, value.size()));
  const auto seed = headers.epoch.value() * 64 + static_cast<std::uint64_t>(headers.kind) * 4 +
                    static_cast<std::uint64_t>(headers.end);
  const auto hash = XXH3_64bits_withSeed(head.data(), head.size(), seed) ^
                    (XXH3_64bits_withSeed(tail.data(), tail.size(), value.size()) << 1U);
  return hash == 0 ? 1 : hash;
}

}  // namespace datasync::protocol
