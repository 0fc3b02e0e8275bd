#pragma once
// Strong types for ids, so that two ids of different kinds are not mixed up by accident.

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace datasync::base {

/// A value of type T that converts only explicitly; `Tag` makes it a type of its own.
template <class T, class Tag>
class Named {
 public:
  constexpr Named() = default;
  constexpr explicit Named(T value) : value_(std::move(value)) {}
  [[nodiscard]] constexpr const T& value() const noexcept { return value_; }
  auto operator<=>(const Named&) const = default;

 private:
  T value_{};
};

}  // namespace datasync::base

template <class T, class Tag>
struct std::hash<datasync::base::Named<T, Tag>> {
  std::size_t operator()(const datasync::base::Named<T, Tag>& n) const noexcept { return std::hash<T>{}(n.value()); }
};
