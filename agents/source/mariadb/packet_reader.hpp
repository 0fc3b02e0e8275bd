#pragma once
// Private to this layer: packets of a dump, of which a large one is not held whole before it is known to be wanted.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "agents/base/bytes.hpp"
#include "agents/client/mysql/handle.hpp"

namespace datasync::sql {

/// Reads from the connection's own stream, below TLS, in pieces of our choice. The library can only read a packet
/// whole: it takes a header (three bytes of length, a number) out of its read-ahead cache and then that many bytes. So
/// the header of each piece is put into the cache, before what was read ahead. Cache and its place are in <ma_pvio.h>.
/// Not thread-safe; nothing else may read from the connection meanwhile.
class PacketReader {
 public:
  /// Asked with the front of a large packet: whether it is to be read at all.
  using Wanted = std::function<bool(base::Bytes front)>;
  enum class Outcome : std::uint8_t {
    Whole,
    Front,     ///< not wanted: the front of it, the rest was read away
    TooLarge,  ///< wanted, and larger than `most`; the connection is of no more use
    Refused,   ///< the server sent an error: `number` and `text`
    Lost,      ///< the library holds the error
  };
  struct Packet {
    Outcome outcome = Outcome::Lost;
    base::Bytes bytes;       ///< valid until the next call
    std::uint64_t size = 0;  ///< of the whole packet; of a packet that is too large, as far as it is known
    unsigned number = 0;
    std::string text;
  };

  static constexpr std::size_t kLarge = std::size_t{1} << 20U;  ///< a smaller packet is not asked about
  static constexpr std::size_t kFront = 256;                    ///< what `Wanted` gets

  /// `most`: bytes of the largest packet to hold.
  PacketReader(MYSQL* mysql, std::uint64_t most);

  Packet next(const Wanted& wanted);

 private:
  struct Head {
    std::size_t length;
    std::uint8_t number;
  };
  std::optional<base::Bytes> raw(std::size_t size);
  std::optional<Head> head();
  bool make_room();
  Packet small(const Head& first);
  Packet large(Head part, const Wanted& wanted);

  MYSQL* mysql_;
  std::uint64_t most_;
  std::uint8_t number_ = 0;
  base::Buffer held_;
};

}  // namespace datasync::sql
