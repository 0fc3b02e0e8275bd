#pragma once
// What is done with rows of the buffer at the destination.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "agents/apply/plan/planner.hpp"
#include "agents/apply/read/row_buffer.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/base/result.hpp"
#include "agents/destination/destination.hpp"

namespace datasync::apply {

/// Not thread-safe; must not outlive the connection and the catalog.
class Statements {
 public:
  using Kind = RowVerb;

  Statements(DestinationServer& connection, const Catalog& catalog)
      : statements_(connection.row_statements()), catalog_(catalog) {}

  /// Runs the statement for all `rows`; returns matched rows. `key_from_after`: the row is found by the key of its
  /// after image (or, where there is none, of its before image). DestinationBusy names the table.
  base::Result<std::uint64_t> run(Kind kind, TableIndex table, const RowBuffer& buffer,
                                  std::span<const PlannedRow> rows, bool key_from_after = false);

 private:
  std::unique_ptr<RowStatements> statements_;
  const Catalog& catalog_;
  std::vector<RowImages> images_;  ///< of the call, for reuse
};

}  // namespace datasync::apply
