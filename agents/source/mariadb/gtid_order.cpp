#include "agents/source/mariadb/gtid_order.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace datasync::source::mariadb {

using base::Error;
using base::Reason;

GtidOrder::GtidOrder(message::GtidSet from, bool in_hole, const std::vector<FallenNumbers>& fallen)
    : seen_(std::move(from)), from_(seen_), in_hole_(in_hole) {
  for (const auto& [last, highest] : fallen) {
    const auto at = from_.domains().find(last.domain);
    if (at == from_.domains().end() || at->second.sequence < last.sequence || at->second.sequence >= highest) continue;
    fallen_[last.domain] = std::max(fallen_[last.domain], highest);
  }
  preceding_ = fallen_;
}

bool GtidOrder::precedes(const message::Gtid& gtid) {
  const auto at = preceding_.find(gtid.domain);
  if (at == preceding_.end()) return false;
  const bool is_last = from_.domains().at(gtid.domain) == gtid;
  const bool before = gtid.sequence <= at->second;
  if (is_last) found_.insert(gtid.domain);
  if (is_last || !before) preceding_.erase(at);
  if (before) before_ = seen_;
  return before;
}

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
                             "without gtid_strict_mode, or it has another history; {}",
                             gtid.text(), last->second.text(), kOtherHistory));
  const auto from = from_.domains().find(gtid.domain);
  const bool first = from != from_.domains().end() && from->second == last->second;
  if (in_hole_ && first && !found_.contains(gtid.domain) && gtid.sequence != last->second.sequence + 1)
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
  if (std::exchange(first_file_, false)) {
    // A file that begins after `from_` has nothing from before it.
    for (const auto& [domain, gtid] : list.domains())
      if (const auto at = preceding_.find(domain);
          at != preceding_.end() && gtid.sequence >= from_.domains().at(domain).sequence)
        preceding_.erase(at);
    return {};
  }
  for (const auto& [domain, gtid] : list.domains()) {
    const auto last = seen_.domains().find(domain);
    if (last == seen_.domains().end() || last->second.sequence >= gtid.sequence) continue;
    if (const auto at = fallen_.find(domain); at != fallen_.end() && gtid.sequence <= at->second) continue;
    return Error(Reason::SourceRestarted,
                 fmt::format("a binlog file begins after {}, but the file that was read before it ended at {}: the "
                             "binlog was reset; reading it again",
                             gtid.text(), last->second.text()));
  }
  return {};
}

}  // namespace datasync::source::mariadb
