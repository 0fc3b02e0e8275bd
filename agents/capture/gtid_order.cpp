#include "agents/capture/gtid_order.hpp"

#include <fmt/format.h>

namespace datasync::capture {

using base::Error;
using base::Reason;

base::Result<void> GtidOrder::transaction(const message::Gtid& gtid) {
  before_ = seen_;
  const auto last = seen_.domains().find(gtid.domain);
  if (last == seen_.domains().end()) {
    seen_.add(gtid);
    return {};
  }
  if (gtid.sequence <= last->second.sequence)
    return Error(Reason::GtidDiverged,
                 fmt::format("transaction {} follows {} in the binlog: numbers decreased, so the server has written "
                             "without gtid_strict_mode, or it has another history",
                             gtid.text(), last->second.text()));
  const auto from = from_.domains().find(gtid.domain);
  const bool first = from != from_.domains().end() && from->second == last->second;
  if (in_hole_ && first && gtid.sequence != last->second.sequence + 1)
    return Error(Reason::BinlogPurged,
                 fmt::format("the binlog has neither {} nor what follows it; the next that it has "
                             "is {}",
                             last->second.text(), gtid.text()));
  seen_.add(gtid);
  return {};
}

void GtidOrder::broken_off() {
  seen_ = before_;
}

base::Result<void> GtidOrder::file(const message::GtidSet& list) {
  if (std::exchange(first_file_, false)) return {};
  for (const auto& [domain, gtid] : list.domains()) {
    const auto last = seen_.domains().find(domain);
    if (last == seen_.domains().end() || last->second.sequence >= gtid.sequence) continue;
    return Error(Reason::SourceRestarted,
                 fmt::format("a binlog file begins after {}, but the file that was read before it ended at {}: the "
                             "binlog was reset; reading it again",
                             gtid.text(), last->second.text()));
  }
  return {};
}

}  // namespace datasync::capture
