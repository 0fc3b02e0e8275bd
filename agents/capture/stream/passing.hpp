#pragma once
// Transactions that capture cannot carry, and the way past one of them that a user declares: the annotation
// datasync.dev/accept-gtid names exactly this transaction.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::capture {

/// The events of one transaction are what cannot be carried; the next one may be fine.
bool poisons(base::Reason reason) noexcept;

/// The error of a transaction that cannot be carried, with the annotation that passes it. `gtid`: the transaction, or
/// where the binlog stands.
base::Error with_way_past(base::Error error, const std::string& gtid);

/// What a transaction that is passed may have changed.
struct Passed {
  bool all = false;              ///< it cannot be known: every captured table
  std::set<std::string> tables;  ///< qualified names of captured tables
};

/// The request that copies again what a passed transaction may have changed. `at` tells places apart that have no GTID
/// of their own (an incident); empty for a transaction.
message::Request request_of(const std::string& gtid, const std::string& at, const Passed& passed,
                            const config::Capture& config);

/// The record that remembers a passed XA PREPARE for its commit.
std::string prepare_id(const std::string& xid);

/// Which transactions may be passed: those that the configuration names, and those that were passed before, as the
/// state topic remembers. Not thread-safe.
class AcceptedTransactions {
 public:
  AcceptedTransactions(const config::Capture& config, const protocol::StateView& view);

  [[nodiscard]] bool accepts(const message::Gtid& gtid) const;
  /// The configuration names the place as a whole, e.g. "0-1-7" or "0-1-7,1-1-3".
  [[nodiscard]] bool accepts_place(const std::string& gtids) const { return !named_.empty() && named_ == gtids; }
  /// Its tables were due for a copy before: nothing is left to do.
  [[nodiscard]] bool passed(const message::Request& request) const { return passed_.contains(request.id); }
  void now_passed(const message::Request& request) { passed_.insert(request.id); }

  /// An XA PREPARE was passed: what its commit will change.
  void prepare_passed(const std::string& xid, Passed passed) { prepares_.insert_or_assign(xid, std::move(passed)); }
  /// What the prepare of this XA transaction may have changed, if it was passed. Who passed it in a former epoch does
  /// not remember more than that: then it is everything.
  [[nodiscard]] std::optional<Passed> of_prepare(const std::string& xid) const;

 private:
  std::string named_;
  std::set<std::string> names_;             ///< GTIDs
  std::set<std::string> passed_;            ///< requests
  std::map<std::string, Passed> prepares_;  ///< by XA id
};

}  // namespace datasync::capture
