#pragma once

#include <cstdint>

#include "agents/base/bytes.hpp"

namespace datasync::capture {

/// The sum modulo 2^128 of XXH3-128 of row images: the same for the same rows in any order (docs/messages.md).
class TableChecksum {
 public:
  void add(base::Bytes image) noexcept;
  [[nodiscard]] std::uint64_t low() const noexcept { return low_; }
  [[nodiscard]] std::uint64_t high() const noexcept { return high_; }

 private:
  std::uint64_t low_ = 0, high_ = 0;
};

}  // namespace datasync::capture
