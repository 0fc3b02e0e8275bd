#pragma once
// Proves that a dump gives every transaction after a position, in order. Pure.

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"
#include "agents/source/mariadb/fallen_numbers.hpp"

namespace datasync::source::mariadb {

/// What a user does when the history is another one: no record of the topic can be made right.
inline constexpr std::string_view kOtherHistory =
    "name a replica that has the published history, or if the source's own history changed, set gtid_strict_mode=ON "
    "and make a first copy on another channel.topic, with empty tables at the destination";

/// One dump, by its thread.
class GtidOrder {
 public:
  GtidOrder() = default;
  /// The dump begins after `from`. `in_hole`: the server does not have the transactions at `from` itself, so that only
  /// unbroken numbers prove that nothing is missing after them. `fallen`: see `precedes`.
  GtidOrder(message::GtidSet from, bool in_hole, const std::vector<FallenNumbers>& fallen = {});

  /// Asked first of each transaction. True for one that is before `from` although its number is higher, because numbers
  /// fell before the stream began: it is no part of the stream, and not given to `transaction`.
  bool precedes(const message::Gtid& gtid);

  /// A transaction begins. Errors: GtidDiverged when its number is not above those before it in its domain (they fell:
  /// the server ran without gtid_strict_mode); BinlogPurged when the first one after a hole is not the next one.
  base::Result<void> transaction(const message::Gtid& gtid);
  /// The last one was cut off in the binlog; it may come again.
  void broken_off();
  /// A binlog file begins, with everything in `list` before it. Errors: SourceRestarted when some of it was not seen:
  /// the file that was read is not the one before this one.
  base::Result<void> file(const message::GtidSet& list);

 private:
  message::GtidSet seen_, from_, before_;
  std::map<std::uint32_t, std::uint64_t> fallen_;     ///< by domain: numbers up to this may be before `from_`
  std::map<std::uint32_t, std::uint64_t> preceding_;  ///< the same, while the transaction at `from_` has not come
  std::set<std::uint32_t> found_;                     ///< domains whose transaction at `from_` came: there is no hole
  bool in_hole_ = false;
  bool first_file_ = true;
};

}  // namespace datasync::source::mariadb
