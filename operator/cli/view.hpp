#pragma once
// What `datasync run` knows of an agent, as plain values: read from its /status, shown by table.hpp.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/config/config.hpp"

namespace datasync::cli {

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
  std::vector<std::string> different;
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
  bool live = true;
  unsigned restarts = 0;
};

/// Takes over what an agent's /status says; what it does not say stays as it was. False when the text is not a status.
bool read_status(std::string_view json, AgentView& view);

/// How a task in mode Once stands.
enum class Once : std::uint8_t { Running, Done, Failed };
/// Done: every agent of the task is Completed and what was verified is equal. Failed: a verification found a
/// difference.
Once once_state(const std::vector<const AgentView*>& agents_of_task);

}  // namespace datasync::cli
