#pragma once
// The error policy: functions return `Result` for everything that a caller can act on. Exceptions are only for broken
// invariants and out-of-memory. The .cpp that calls a third-party library catches the library's exceptions and converts
// them to an Error.

#include <source_location>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "agents/base/reason.hpp"

namespace datasync::base {

/// A failure: a reason from the closed list, and a text that names the object and what to do. It never holds a secret.
struct Error {
  Reason reason = Reason::Internal;
  std::string what;
  std::source_location where;

  Error(Reason r, std::string text, std::source_location at = std::source_location::current())
      : reason(r), what(std::move(text)), where(at) {}

  [[nodiscard]] bool is(Reason r) const noexcept { return reason == r; }
  [[nodiscard]] Outcome outcome() const noexcept { return info(reason).outcome; }
  /// Returns the same error with a prefix that names the failed operation: "while reading shop.orders: ...".
  [[nodiscard]] Error context(std::string_view doing) && {
    what.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
};

/// A value or an Error; the caller must check it.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error e) : Base(tl::unexpect, std::move(e)) {}  // NOLINT: the implicit conversion from Error is intended
  Result(Base b) : Base(std::move(b)) {}                 // NOLINT
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using Base = tl::expected<void, Error>;
  using Base::Base;
  Result() = default;
  Result(Error e) : Base(tl::unexpect, std::move(e)) {}  // NOLINT
  Result(Base b) : Base(std::move(b)) {}                 // NOLINT
};

}  // namespace datasync::base

#define DS_CONCAT_INNER(a, b) a##b
#define DS_CONCAT(a, b) DS_CONCAT_INNER(a, b)

/// Returns the error of `expr` from the enclosing function, or continues.
#define DS_TRY(...)                                                     \
  do {                                                                  \
    if (auto ds_try_result = (__VA_ARGS__); !ds_try_result)             \
      return ::datasync::base::Error(std::move(ds_try_result).error()); \
  } while (false)

#define DS_ASSIGN_INNER(tmp, decl, ...)                             \
  auto tmp = (__VA_ARGS__);                                         \
  if (!tmp) return ::datasync::base::Error(std::move(tmp).error()); \
  decl = std::move(*tmp)

/// DS_ASSIGN(auto x, f()): x becomes f's value, or the enclosing function returns f's error.
#define DS_ASSIGN(decl, ...) DS_ASSIGN_INNER(DS_CONCAT(ds_assign_, __LINE__), decl, __VA_ARGS__)
