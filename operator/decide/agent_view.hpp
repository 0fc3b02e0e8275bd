#pragma once
// What is known of an agent, as plain values, read from its /status: by the operator and by `datasync run`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace datasync::decide {

struct SnapshotView {
  double percent = 0;
  double rows_per_second = 0;
  std::optional<double> eta_seconds;
  std::size_t tables = 0;
  std::size_t tables_done = 0;
  std::string table;  ///< the first that is not done
};

struct VerifyView {
  bool done = false;
  std::size_t tables = 0;
  std::vector<std::string> different;  ///< the first of them
};

/// A table that waits while the others are applied.
struct HeldView {
  std::string table, reason, message;
  std::int64_t stream = 0;
  std::int64_t offset = 0;
  std::int64_t since = 0;  ///< unix seconds
};

struct AgentView {
  std::string task;      ///< "namespace/name"
  std::string agent;     ///< "capture" or "apply"
  std::string endpoint;  ///< the replica in use, or the destination
  std::string state = "Starting";
  std::string reason;
  std::string message;
  std::string position;
  std::vector<std::pair<std::string, double>> lag;  ///< stage, seconds
  std::uint64_t rows = 0;
  std::uint64_t transactions = 0;
  std::optional<double> rows_per_second;
  std::optional<double> binlog_hours_left;
  std::uint64_t duplicates = 0;
  std::uint64_t conflicts = 0;
  std::optional<SnapshotView> snapshot;
  std::optional<VerifyView> verify;
  std::vector<HeldView> held;  ///< the first of them
  std::size_t held_count = 0;  ///< all of them
  bool live = true;
  bool ready = false;
  std::string lost_position;                 ///< what a person may accept as lost; empty: nothing is lost
  std::string accepted_position;             ///< what was given up by a person's word
  std::vector<std::string> skipped_offsets;  ///< "stream:offset", as declared void and met
  unsigned restarts = 0;
};

/// The longest /status that is read.
inline constexpr std::size_t kLongestStatus = 1U << 20U;

/// Takes over what an agent's /status says; what it does not say stays as it was. False when the text is not a status,
/// is longer than `kLongestStatus` or nested deeper than a status is. Whoever can write to a pod can answer in its
/// agent's place: every text, list and number of the view has bounds, so that it fits into the status of a resource.
bool read_status(std::string_view json, AgentView& view);

}  // namespace datasync::decide
