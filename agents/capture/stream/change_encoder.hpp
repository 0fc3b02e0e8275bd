#pragma once
// Rows on their way into records: kept as the bytes the record will hold, and framed as protobuf with one copy.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/record.hpp"
#include "agents/message/schema.hpp"

namespace datasync::capture {

/// Consecutive rows of one table. They stand in the buffer from `begin` to where the next run begins.
struct Run {
  /// The most bytes that a record needs for one run besides its rows.
  static constexpr std::size_t kFraming = 40;
  message::SchemaId schema;
  std::uint32_t order = 0;
  std::uint32_t count = 0;
  std::size_t begin = 0;
};

/// Rows of one type, in their order, in the compact layout.
struct TypeRows {
  std::string type;
  base::Buffer rows;
  std::vector<Run> runs;

  [[nodiscard]] bool empty() const noexcept { return runs.empty(); }
  /// What the rows need in a record, framing included.
  [[nodiscard]] std::size_t bytes() const noexcept { return rows.size() + runs.size() * Run::kFraming; }
  void clear() noexcept {
    rows.clear();
    runs.clear();
  }
  /// Continues the last run when it is of the same table, or opens the next one.
  Run& run_of(message::SchemaId schema, std::uint32_t& next_order);
};

struct ChangeFrame {
  message::Gtid gtid;
  std::uint64_t commit_time_us = 0;
  std::uint32_t fragment = 0;
  bool last = false;
};

/// The value of a change record: what message::encode gives for the same content, made with one copy of the rows. A
/// single large run is not copied: it becomes part of the value where it is, and leaves `rows` empty.
base::Buffer encode_change(const ChangeFrame& frame, TypeRows& rows);

/// The same for a record of a snapshot: `frame` without rows. `rows` become part of the value where they are.
base::Buffer encode_snapshot_rows(const message::Snapshot& frame, const Run& run, base::Buffer rows);

}  // namespace datasync::capture
