#include "agents/source/mariadb/packet_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <ma_pvio.h>

namespace datasync::sql {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kFullPart = 0xFFFFFF;  // another part of the packet follows one of this length
constexpr std::size_t kMark = 1;  // before each piece: a piece that begins with 255 is no error of the server
constexpr std::size_t kPiece = std::size_t{1} << 20U;
constexpr std::size_t kEventSizeAt = 1 + 9;  // after the OK byte, in the event's header
constexpr std::size_t kRoom = 64;
constexpr std::size_t kHeldKept = std::size_t{4} << 20U;
constexpr unsigned char kError = 0xFF;

}  // namespace

PacketReader::PacketReader(MYSQL* mysql, std::uint64_t most) : mysql_(mysql), most_(most) {}

/// The header of a piece goes before what was read ahead. The cache gets a little longer than the library made it: what
/// it reads ahead at once stays the same.
bool PacketReader::make_room() {
  auto* const pvio = mysql_->net.pvio;
  if (pvio == nullptr || pvio->cache == nullptr) return false;
  const auto used = static_cast<std::size_t>(pvio->cache_pos - pvio->cache);
  if (used >= kHeader + kMark) return true;
  const auto left = pvio->cache_size > used ? pvio->cache_size - used : 0;
  auto* const grown = static_cast<unsigned char*>(std::realloc(pvio->cache, PVIO_READ_AHEAD_CACHE_SIZE + kRoom));
  if (grown == nullptr) return false;
  std::memmove(grown + kRoom, grown + used, left);
  pvio->cache = grown;
  pvio->cache_pos = grown + kRoom;
  pvio->cache_size = kRoom + left;
  return true;
}

/// The next bytes of the stream, whatever they are. Nothing when the connection ended; the library holds the error.
std::optional<base::Bytes> PacketReader::raw(std::size_t size) {
  if (!make_room()) return std::nullopt;
  auto* const pvio = mysql_->net.pvio;
  const auto length = size + kMark;
  auto* const at = pvio->cache_pos - (kHeader + kMark);
  at[0] = static_cast<unsigned char>(length);
  at[1] = static_cast<unsigned char>(length >> 8U);
  at[2] = static_cast<unsigned char>(length >> 16U);
  at[3] = number_;
  at[kHeader] = 0;
  if (pvio->cache_size < static_cast<std::size_t>(pvio->cache_pos - pvio->cache))
    pvio->cache_size = static_cast<std::size_t>(pvio->cache_pos - pvio->cache);
  pvio->cache_pos = at;
  if (mysql_net_read_packet(mysql_) != length) return std::nullopt;
  return base::Bytes(reinterpret_cast<const std::byte*>(mysql_->net.read_pos + kMark), size);
}

std::optional<PacketReader::Head> PacketReader::head() {
  const auto bytes = raw(kHeader);
  if (!bytes) return std::nullopt;
  base::Cursor in(*bytes);
  const auto length = in.fixed(3);
  number_ = in.get<std::uint8_t>();
  return Head{length, number_};
}

PacketReader::Packet PacketReader::next(const Wanted& wanted) {
  if (held_.capacity() > kHeldKept) held_ = base::Buffer();
  const auto first = head();
  if (!first) return {};
  return first->length <= kLarge ? small(*first) : large(*first, wanted);
}

PacketReader::Packet PacketReader::small(const Head& first) {
  Packet out;
  const auto bytes = raw(first.length);
  if (!bytes) return out;
  out.size = bytes->size();
  out.bytes = *bytes;
  out.outcome = Outcome::Whole;
  if (bytes->empty() || (*bytes)[0] != std::byte{kError}) return out;
  constexpr std::size_t kState = 6;  // '#' and five characters
  base::Cursor in(bytes->subspan(1));
  out.outcome = Outcome::Refused;
  out.number = in.get<std::uint16_t>();
  out.text = base::as_text(in.rest());
  if (out.text.starts_with('#') && out.text.size() >= kState) out.text.erase(0, kState);
  return out;
}

PacketReader::Packet PacketReader::large(Head part, const Wanted& wanted) {
  Packet out;
  held_.clear();
  const auto front = raw(kFront);
  if (!front) return out;
  held_.append(*front);
  const bool keep = wanted(held_.bytes());
  // The event says how large it is: one allocation of that size, and none for one that is too large.
  out.size = base::Cursor(front->subspan(kEventSizeAt)).get<std::uint32_t>() + std::uint64_t{1};
  if (keep && out.size > most_) {
    out.outcome = Outcome::TooLarge;
    return out;
  }
  if (keep) held_.reserve(out.size);
  out.size = kFront;
  std::size_t left = part.length - kFront;
  while (true) {
    if (keep && out.size + left > most_) {
      out.outcome = Outcome::TooLarge;
      out.size += left;
      return out;
    }
    while (left > 0) {
      const auto piece = raw(std::min(left, kPiece));
      if (!piece) return out;
      if (keep) held_.append(*piece);
      out.size += piece->size();
      left -= piece->size();
    }
    if (part.length != kFullPart) break;
    const auto following = head();
    if (!following) return out;
    part = *following;
    left = part.length;
  }
  out.bytes = held_.bytes();
  out.outcome = keep ? Outcome::Whole : Outcome::Front;
  return out;
}

}  // namespace datasync::sql
