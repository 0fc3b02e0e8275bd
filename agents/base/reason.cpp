#include "agents/base/reason.hpp"

#include <array>
#include <cstddef>

namespace datasync::base {
namespace {

constexpr std::array kReasons{
#define X(name, outcome, text) ReasonInfo{Reason::name, #name, Outcome::outcome, text},
    DATASYNC_REASONS(X)
#undef X
};

}  // namespace

std::span<const ReasonInfo> all_reasons() noexcept {
  return kReasons;
}

const ReasonInfo& info(Reason reason) noexcept {
  return kReasons[static_cast<std::size_t>(reason)];
}

}  // namespace datasync::base
