#pragma once
// MariaDB's two uses of zlib in the binlog: whole events (log_bin_compress) and column values (COMPRESSED columns).

#include <cstdint>
#include <memory>
#include <optional>

#include "agents/base/bytes.hpp"

namespace datasync::binlog {

/// The most a compressed event may hold: max_allowed_packet cannot be larger.
inline constexpr std::uint64_t kMaxInflated = std::uint64_t{1} << 30U;

/// What the bytes say about themselves before they are inflated.
struct Compressed {
  std::uint64_t length = 0;  ///< of the original
  bool raw = false;          ///< deflate without the zlib wrapper
  bool stored = false;       ///< not compressed at all
  base::Bytes payload;
};

/// A compressed part of an event: 0x80 | algorithm << 4 | n, then n bytes big-endian length, then a zlib stream.
/// Nothing when it is damaged, claims more than kMaxInflated or more than zlib can reach, or uses another algorithm.
std::optional<Compressed> read_event_header(base::Bytes bytes) noexcept;

/// A value of a COMPRESSED column: empty, or algorithm << 4 | raw << 3 | n, then as above; algorithm 0 is stored.
std::optional<Compressed> read_column_header(base::Bytes bytes) noexcept;

/// A zlib stream kept between calls, because setting one up costs more than inflating a small value. Not thread-safe.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Writes exactly `what.length` bytes to `out`. False when the stream is damaged or has another length.
  bool inflate(const Compressed& what, std::byte* out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace datasync::binlog
