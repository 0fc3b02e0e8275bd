#pragma once
// Rows on their way into records: kept as the bytes the record will hold, and framed as protobuf with one copy.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/schema.hpp"

namespace datasync::capture {

/// Consecutive rows of one table. They stand in the buffer from `begin` to where the next run begins.
struct Run {
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

/// The value of a change record: what message::encode gives for the same content, made with one copy of the rows.
base::Buffer encode_change(const ChangeFrame& frame, const TypeRows& rows);

}  // namespace datasync::capture
