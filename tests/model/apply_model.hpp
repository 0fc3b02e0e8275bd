#pragma once
// Apply instances on one stream and one ledger: every interleaving of their reading, committing and taking over.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/model/records.hpp"
#include "tests/model/search.hpp"

namespace datasync::model {

/// The destination: rows and ledger change together or not at all.
struct Ledger {
  std::uint8_t token = 0;
  std::uint8_t offset = 0;
  std::uint8_t epoch = 0;
  std::uint8_t published = 0;
  std::vector<std::uint8_t> applied;
};

/// One apply process. As with capture, every step is optional: a crash, a lost answer to COMMIT and a pause of any
/// length are all an instance that takes no further step, or takes it late.
struct ApplyInstance {
  enum class Phase : std::uint8_t { Idle, Running, Over };
  Phase phase = Phase::Idle;
  std::uint8_t token = 0;
  std::uint8_t position = 0;        ///< next offset to read
  std::uint8_t epoch = 0;           ///< of the reader's rule
  Gatherer gatherer;                ///< the unfinished transaction
  std::vector<std::uint8_t> batch;  ///< whole transactions in the open destination transaction
  std::uint8_t boundary = 0;        ///< next offset to write to the ledger,
  std::uint8_t boundary_epoch = 0;  ///< and the epoch there
  std::uint8_t committed = 0;       ///< next offset written so far
};

struct ApplyState {
  Ledger ledger;
  std::vector<ApplyInstance> instances;
  std::optional<std::string> violation;  ///< the ledger's guard refused a transaction
  [[nodiscard]] std::string key() const;
};

class ApplyModel {
 public:
  ApplyModel(std::vector<StreamRecord> stream, int instances, Mutation mutation);
  Found run();

 private:
  void take_over(ApplyState& s, ApplyInstance& a) const;
  bool read(ApplyInstance& a) const;
  void commit(ApplyState& s, ApplyInstance& a) const;
  [[nodiscard]] std::optional<std::string> check(const ApplyState& state) const;

  std::vector<StreamRecord> stream_;
  int instances_;
  Mutation mutation_;
  std::vector<std::uint8_t> wanted_;  ///< what a reader that never fails applies
};

}  // namespace datasync::model
