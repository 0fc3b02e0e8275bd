#include "agents/base/bytes.hpp"

#include <new>

namespace datasync::base {

void Buffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto* grown = static_cast<std::byte*>(std::realloc(data_, capacity));  // NOLINT: see the class comment
  if (grown == nullptr) throw std::bad_alloc();
  data_ = grown;
  capacity_ = capacity;
}

}  // namespace datasync::base
