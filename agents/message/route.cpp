#include "agents/message/route.hpp"

#include <xxhash.h>

namespace datasync::message {

std::int32_t stream_of(std::string_view type, std::int32_t streams) noexcept {
  if (streams <= 1) return 0;
  return static_cast<std::int32_t>(XXH3_64bits(type.data(), type.size()) % static_cast<std::uint64_t>(streams));
}

}  // namespace datasync::message
