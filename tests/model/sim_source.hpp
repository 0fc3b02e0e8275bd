#pragma once
// A source for the random histories, and what must arrive of it.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::model {

using Random = std::mt19937_64;
inline std::size_t below(Random& random, std::size_t n) {
  return static_cast<std::size_t>(random() % n);
}
inline bool chance(Random& random, unsigned percent) {
  return random() % 100 < percent;
}

/// A transaction of the source's binlog.
struct Transaction {
  enum class What : std::uint8_t { Rows, Prepare, Commit };  ///< Prepare and Commit: an XA transaction's two halves
  message::Gtid gtid;
  What what = What::Rows;
  std::uint64_t xa = 0;                  ///< number of the XA transaction
  std::vector<std::uint32_t> fragments;  ///< by stream; Prepare: none, its Commit puts them out
};

std::vector<Transaction> random_source(Random& random, std::int32_t streams);

/// A record as it stands in a stream.
struct Landed {
  message::Headers headers;
  std::string value;
};

/// Reads a stream as an apply agent does: the transactions that became whole, in order. Nullopt, and why, when an apply
/// agent would halt.
std::optional<std::vector<message::Gtid>> apply(const std::vector<Landed>& stream, std::string& why);

/// A position of the source's beginning at which no XA transaction is open: where a new stream may begin.
message::GtidSet random_beginning(Random& random, const std::vector<Transaction>& source);
/// Where a stream began: the position of its first watermark. Nullopt: it has none.
std::optional<message::GtidSet> beginning(const std::vector<Landed>& stream);
/// What a stream that begins there must bring, in order.
std::vector<message::Gtid> expected(const std::vector<Transaction>& source, std::int32_t stream,
                                    const message::GtidSet& beginning);

std::string text(const std::vector<message::Gtid>& gtids);

}  // namespace datasync::model
