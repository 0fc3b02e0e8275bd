#include "agents/binlog/inflate.hpp"

#include <cstring>
#include <limits>
#include <new>

#include <zlib.h>

namespace datasync::binlog {
namespace {

// zlib's best ratio is 1032 to 1 (https://zlib.net/zlib_tech.html). A larger stated length is false, and no memory is
// allocated for it.
constexpr std::uint64_t kBestRatio = 1032;

bool plausible(const Compressed& c) noexcept {
  return c.length <= kMaxInflated && c.length <= (c.payload.size() + 1) * kBestRatio;
}

}  // namespace

std::optional<Compressed> read_event_header(base::Bytes bytes) noexcept {
  base::Cursor in(bytes);
  const auto head = in.get<std::uint8_t>();
  Compressed out;
  out.length = in.fixed_be(head & 0x7U);
  out.payload = in.rest();
  const bool zlib = (head & 0xF0U) == 0x80U && (head & 0x7U) != 0 && (head & 0x7U) <= 4;
  if (!in.ok() || !zlib || !plausible(out)) return std::nullopt;
  return out;
}

std::optional<Compressed> read_column_header(base::Bytes bytes) noexcept {
  if (bytes.empty()) return Compressed{.length = 0, .raw = false, .stored = true, .payload = {}};
  base::Cursor in(bytes);
  const auto head = in.get<std::uint8_t>();
  if (head >> 4U == 0) {
    return Compressed{.length = in.left(), .raw = false, .stored = true, .payload = in.rest()};
  }
  Compressed out;
  out.raw = (head & 0x8U) != 0;
  out.length = in.fixed_be(head & 0x7U);
  out.payload = in.rest();
  const bool zlib = head >> 4U == 8 && (head & 0x7U) != 0;
  if (!in.ok() || !zlib || !plausible(out)) return std::nullopt;
  return out;
}

struct Inflater::Stream {
  z_stream z{};
  Stream() {
    if (inflateInit2(&z, MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

Inflater::Inflater() = default;
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

bool Inflater::inflate(const Compressed& what, std::byte* out) {
  if (what.stored) {
    if (!what.payload.empty()) std::memcpy(out, what.payload.data(), what.payload.size());
    return true;
  }
  if (what.payload.size() > std::numeric_limits<uInt>::max()) return false;
  if (!stream_) stream_ = std::make_unique<Stream>();
  z_stream& z = stream_->z;
  if (inflateReset2(&z, what.raw ? -MAX_WBITS : MAX_WBITS) != Z_OK) return false;
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(what.payload.data()));  // zlib does not write to it
  z.avail_in = static_cast<uInt>(what.payload.size());
  z.next_out = reinterpret_cast<Bytef*>(out);
  z.avail_out = static_cast<uInt>(what.length);
  return ::inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0;
}

}  // namespace datasync::binlog
