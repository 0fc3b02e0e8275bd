#pragma once

#include <stdexcept>
#include <utility>

#include "agents/base/result.hpp"

namespace datasync::test {

/// The value, or an exception with the text of the error, which fails the test.
template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return std::move(*result);
}
inline void must(base::Result<void> result) {
  if (!result) throw std::runtime_error(result.error().what);
}

}  // namespace datasync::test
