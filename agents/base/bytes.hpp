#pragma once
// Bytes from outside are read through Cursor, which never reads past the end. Bytes that this program creates are
// written to Buffer.

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

/// View the same bytes as text or as bytes, without a copy.
inline Bytes as_bytes(std::string_view s) noexcept {
  return std::as_bytes(std::span(s.data(), s.size()));
}
inline std::string_view as_text(Bytes b) noexcept {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

/// Reads little-endian values from a span. A read past the end returns zero (or an empty span) and sets a sticky
/// failure, so parse a whole structure and check `ok()` once. Bytes outside the span are never accessed.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const noexcept { return !failed_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] bool empty() const noexcept { return at_ == end_; }
  [[nodiscard]] Bytes rest() const noexcept { return {at_, left()}; }
  /// Marks the cursor as failed and moves it to the end.
  void fail() noexcept {
    failed_ = true;
    at_ = end_;
  }

  /// Reads an integer or float of its natural width.
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

  /// Reads an unsigned little-endian integer of `n` bytes, n in 0..8.
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

  /// Reads an unsigned big-endian integer of `n` bytes, n in 0..8.
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

  /// Reads a LEB128 integer of at most ten bytes.
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

  /// Returns the next `n` bytes of the span and moves past them.
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

/// A growing byte buffer that does not zero the memory it adds. Move only. `release` passes the memory to a C library
/// that will `free` it.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { reserve(capacity); }
  ~Buffer() { std::free(data_); }  // NOLINT: the memory comes from malloc so that C libraries can own it
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

  /// Adds `n` bytes and returns a pointer to them; the caller fills them. The pointer is valid until the next call that
  /// grows.
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
  /// Appends a LEB128 integer.
  void varint(std::uint64_t value) {
    while (value >= 0x80U) {
      put(static_cast<std::uint8_t>(value | 0x80U));
      value >>= 7U;
    }
    put(static_cast<std::uint8_t>(value));
  }
  /// Overwrites the value at `at`; the range must exist.
  template <class T>
  requires std::is_arithmetic_v<T>
  void patch(std::size_t at, T value) noexcept { std::memcpy(data_ + at, &value, sizeof(T)); }
  /// Passes ownership of the memory to the caller (free it with std::free) and leaves the buffer empty.
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
