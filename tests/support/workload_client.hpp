#pragma once
// One client of a Workload. Internal to tests/support.

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include "tests/support/session.hpp"
#include "tests/support/workload.hpp"

namespace datasync::test {

/// What all clients of a workload share.
struct WorkloadShared {
  std::atomic<std::uint64_t> next_audit =
      1;  ///< audit sequence numbers are used once, whatever becomes of the transaction
  std::atomic<std::uint64_t> next_order = 1;
  std::atomic<std::uint64_t> next_place = 1;
  std::atomic<std::uint64_t> committed = 0, rolled_back = 0, failed = 0;
};

/// Draws a kind of transaction and runs it, statement by statement.
class WorkloadClient {
 public:
  WorkloadClient(int number, const WorkloadOptions& options, WorkloadShared& shared);
  /// Runs one transaction; true when it was committed. Throws SqlError when a statement failed; the transaction may be
  /// open then, so the session must be closed.
  bool step(Session& session);

 private:
  enum class Kind : std::uint8_t {
    Transfer,
    NewOrder,
    ChangeOrder,
    DeleteOrder,
    SwapPlaces,
    MovePlace,
    Upsert,
    Rename,
    Undo
  };

  [[nodiscard]] std::int64_t pick(std::int64_t low, std::int64_t high);
  [[nodiscard]] std::string word();
  [[nodiscard]] std::string table(const std::string& name) const;
  [[nodiscard]] std::int64_t existing(Session& session, const std::string& table_name, std::uint64_t below);

  void transfer(Session& session);
  void new_order(Session& session);
  void change_order(Session& session);
  void delete_order(Session& session);
  void swap_places(Session& session);
  void move_place(Session& session);
  void upsert(Session& session);
  void rename(Session& session);
  void undo(Session& session);
  void audit(Session& session, const std::string& what);

  int number_;
  const WorkloadOptions& options_;
  WorkloadShared& shared_;
  std::mt19937_64 random_;
};

}  // namespace datasync::test
