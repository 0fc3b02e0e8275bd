#include "agents/capture/plan/route.hpp"

#include <xxhash.h>

namespace datasync::capture {

std::uint32_t derived_server_id(std::string_view task) noexcept {
  constexpr std::uint32_t kBase = 1U << 30U;
  return kBase | (static_cast<std::uint32_t>(XXH3_64bits(task.data(), task.size())) & (kBase - 1));
}

}  // namespace datasync::capture
