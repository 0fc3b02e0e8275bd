#pragma once
// The records of the model: a few bytes each, turned into real ones where the real code reads them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/protocol/log.hpp"
#include "agents/protocol/reader_rule.hpp"

namespace datasync::model {

/// Rules that can be taken away, to see that the search notices.
struct Mutation {
  bool lower_epochs_counted = false;        ///< the reader's rule takes records of lower epochs
  bool claim_race_unsettled = false;        ///< whoever claimed an epoch believes to have it
  bool newest_checkpoint_believed = false;  ///< certain or not
  bool position_before_acknowledgement = false;
  bool token_unchecked = false;
};

/// Transactions are numbered from 1; source[i] is the number of fragments of transaction i + 1.
using Source = std::vector<std::uint8_t>;

struct StreamRecord {
  std::uint8_t epoch = 0;
  std::uint8_t transaction = 0;  ///< 0: a start
  std::uint8_t fragment = 0;
  bool last = false;
};
struct StateRecord {
  bool claim = false;  ///< else a checkpoint
  std::uint8_t epoch = 0;
  std::uint8_t instance = 0;   ///< claim
  std::uint8_t offset = 0;     ///< checkpoint
  std::uint8_t published = 0;  ///< checkpoint: the newest transaction
};

/// Appends the record to a state's key.
void put(std::string& key, const StreamRecord& r);
void put(std::string& key, const StateRecord& r);

message::Headers headers_of(const StreamRecord& r);
/// The value of a record of transaction `number`; encoded once.
const std::string& value_of(std::uint8_t number);
protocol::StateRecord real(const StateRecord& r, protocol::Offset offset);
message::Gtid gtid_of(std::uint8_t transaction);
message::GtidSet published_set(std::uint8_t newest);
std::uint8_t newest_of(const message::GtidSet& published);

/// The real reader's rule, or what is left of it.
class Rule {
 public:
  Rule(message::Epoch epoch, const Mutation& mutation) : rule_(epoch), counts_lower_(mutation.lower_epochs_counted) {}
  protocol::ReaderRule::Verdict see(const StreamRecord& r);
  [[nodiscard]] message::Epoch epoch() const noexcept { return rule_.epoch(); }

 private:
  protocol::ReaderRule rule_;
  bool counts_lower_;
};

/// Gathers whole transactions from what the rule takes, as an apply agent does.
class Gatherer {
 public:
  /// The transaction that the record completes; 0: none. `torn` is set when fragments do not follow each other.
  std::uint8_t take(const StreamRecord& r);
  void discard() { open_ = next_ = 0; }
  [[nodiscard]] bool open() const noexcept { return open_ != 0; }
  [[nodiscard]] bool torn() const noexcept { return torn_; }

 private:
  std::uint8_t open_ = 0;  ///< the transaction being gathered
  std::uint8_t next_ = 0;  ///< its next fragment
  bool torn_ = false;
};

/// What a reader that never fails applies.
struct Reading {
  std::vector<std::uint8_t> applied;
  std::optional<std::string> violation;  ///< torn, foreign, out of order or repeated
};
Reading read_all(const std::vector<StreamRecord>& log, const Mutation& mutation);
/// Applied must be 1, 2, 3, ...
std::optional<std::string> not_a_prefix(const std::vector<std::uint8_t>& applied);

std::string text(const StreamRecord& r);
std::string text(const StateRecord& r);

}  // namespace datasync::model
