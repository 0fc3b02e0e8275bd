#pragma once
// MariaDB's two uses of zlib in the binlog: whole events (log_bin_compress) and column values (COMPRESSED columns).

#include <cstdint>
#include <memory>
#include <optional>

#include "agents/base/bytes.hpp"

namespace datasync::binlog {

/// The maximum inflated length of a compressed event: max_allowed_packet cannot be larger.
inline constexpr std::uint64_t kMaxInflated = std::uint64_t{1} << 30U;

/// The description of compressed bytes, read before they are inflated.
struct Compressed {
  std::uint64_t length = 0;  ///< of the original data
  bool raw = false;          ///< deflate without the zlib wrapper
  bool stored = false;       ///< not compressed at all
  base::Bytes payload;
};

/// Reads the header of a compressed part of an event: 0x80 | algorithm << 4 | n, then n bytes big-endian length, then a
/// zlib stream. Returns nullopt when it is damaged, states a length above kMaxInflated or above zlib's best ratio, or
/// uses another algorithm.
std::optional<Compressed> read_event_header(base::Bytes bytes) noexcept;

/// Reads the header of a value of a COMPRESSED column: empty, or algorithm << 4 | raw << 3 | n, then as above;
/// algorithm 0 means stored without compression.
std::optional<Compressed> read_column_header(base::Bytes bytes) noexcept;

/// Keeps one zlib stream between calls, because creating one costs more than inflating a small value. Not thread-safe.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Writes exactly `what.length` bytes to `out`. Returns false when the stream is damaged or has another length.
  bool inflate(const Compressed& what, std::byte* out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace datasync::binlog
