#pragma once
// Bytes from outside are read through Cursor, which never reads past the end; bytes we make go into Buffer.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace datasync::base {

static_assert(std::endian::native == std::endian::little, "the hot paths copy little-endian integers as they are");

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view s) noexcept {
  return std::as_bytes(std::span(s.data(), s.size()));
}
inline std::string_view as_text(Bytes b) noexcept {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

/// Reads little-endian values from a span. A read past the end gives zero (or an empty span) and sets a sticky failure:
/// parse a structure whole, then ask `ok()` once. Nothing outside the span is ever touched.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const noexcept { return !failed_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] bool empty() const noexcept { return at_ == end_; }
  [[nodiscard]] Bytes rest() const noexcept { return {at_, left()}; }
  void fail() noexcept {
    failed_ = true;
    at_ = end_;
  }

  /// An integer or float of its natural width.
  template <class T>
  requires std::is_arithmetic_v<T> T get()
  noexcept {
    T value{};
    if (left() < sizeof(T)) {
      fail();
      return value;
    }
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  /// An unsigned little-endian integer of `n` bytes, n in 0..8.
  std::uint64_t fixed(std::size_t n) noexcept {
    std::uint64_t value = 0;
    if (n > sizeof value || left() < n) {
      fail();
      return 0;
    }
    std::memcpy(&value, at_, n);
    at_ += n;
    return value;
  }

  /// An unsigned big-endian integer of `n` bytes, n in 0..8.
  std::uint64_t fixed_be(std::size_t n) noexcept {
    std::uint64_t value = 0;
    if (n > sizeof value || left() < n) {
      fail();
      return 0;
    }
    for (std::size_t i = 0; i < n; ++i) value = (value << 8U) | std::to_integer<std::uint64_t>(at_[i]);
    at_ += n;
    return value;
  }

  /// LEB128, at most ten bytes.
  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto b = get<std::uint8_t>();
      value |= static_cast<std::uint64_t>(b & 0x7FU) << shift;
      if ((b & 0x80U) == 0) return value;
      if (failed_) return 0;
    }
    fail();
    return 0;
  }

  Bytes take(std::size_t n) noexcept {
    if (left() < n) {
      fail();
      return {};
    }
    const Bytes out{at_, n};
    at_ += n;
    return out;
  }
  std::string_view text(std::size_t n) noexcept { return as_text(take(n)); }
  void skip(std::size_t n) noexcept { (void)take(n); }

 private:
  const std::byte* at_;
  const std::byte* end_;
  bool failed_ = false;
};

/// A growing byte buffer that does not zero what it grows by. Move only. `release` hands the memory to a C library that
/// will `free` it.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { reserve(capacity); }
  ~Buffer() { std::free(data_); }  // NOLINT: memory is malloc'ed so that C libraries can own it
  Buffer(Buffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)),
        size_(std::exchange(o.size_, 0)),
        capacity_(std::exchange(o.capacity_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    if (this != &o) {
      std::free(data_);  // NOLINT
      data_ = std::exchange(o.data_, nullptr);
      size_ = std::exchange(o.size_, 0);
      capacity_ = std::exchange(o.capacity_, 0);
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] std::byte* data() noexcept { return data_; }
  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Bytes bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept { return as_text(bytes()); }

  void clear() noexcept { size_ = 0; }
  void reserve(std::size_t capacity);  ///< throws std::bad_alloc
  void truncate(std::size_t size) noexcept { size_ = size < size_ ? size : size_; }

  /// Room for `n` more bytes; the caller fills them. Valid until the next call that grows.
  std::byte* grow(std::size_t n) {
    if (size_ + n > capacity_) reserve(next_capacity(size_ + n));
    std::byte* at = data_ + size_;
    size_ += n;
    return at;
  }
  void append(Bytes b) {
    if (!b.empty()) std::memcpy(grow(b.size()), b.data(), b.size());
  }
  void append(std::string_view s) { append(as_bytes(s)); }
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) { std::memcpy(grow(sizeof(T)), &value, sizeof(T)); }
  void varint(std::uint64_t value) {
    while (value >= 0x80U) {
      put(static_cast<std::uint8_t>(value | 0x80U));
      value >>= 7U;
    }
    put(static_cast<std::uint8_t>(value));
  }
  /// Overwrites what stands at `at`; the range must exist.
  template <class T>
  requires std::is_arithmetic_v<T>
  void patch(std::size_t at, T value) noexcept { std::memcpy(data_ + at, &value, sizeof(T)); }
  /// Gives the memory away (free with std::free) and becomes empty.
  std::byte* release() noexcept {
    size_ = capacity_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  [[nodiscard]] std::size_t next_capacity(std::size_t need) const noexcept {
    const std::size_t twice = capacity_ * 2;
    return need > twice ? need : twice;
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace datasync::base
