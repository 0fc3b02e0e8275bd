#pragma once
// Does a destination table take the rows of a source table, and what must the planner know of it? Pure.

#include <optional>
#include <string>
#include <vector>

#include "agents/apply/dialect.hpp"
#include "agents/apply/planner.hpp"
#include "agents/message/schema.hpp"
#include "agents/sql/table_reader.hpp"

namespace datasync::apply {

/// Why `destination` cannot hold every value of `source` without loss; nothing when it can. Wider is fine. `is_key`:
/// equal values must stay equal and different ones different.
std::optional<std::string> misfit(const message::Column& source, const message::Column& destination, bool is_key);

/// How a message schema meets the table that is there.
struct Fit {
  std::vector<std::uint16_t> missing;   ///< source columns the destination lacks
  std::vector<std::string> mismatches;  ///< "column price: ...", each a reason not to write
  std::vector<std::uint16_t> written;   ///< source columns to store: all but those the destination computes itself
};
/// `required_extra`: destination columns that must be given a value.
Fit fit(const message::TableSchema& source, const sql::TableInfo& destination, const Dialect& dialect,
        const std::vector<std::string>& required_extra);

/// What the planner must know. `referenced` is left empty: it depends on other tables. A table that is ordered says why
/// in `why`.
PlanTable plan_table(const message::TableSchema& source, const sql::TableInfo& destination, std::string& why);

/// True when equal under this collation is equal bytes, or equal bytes but for trailing spaces (`pads`).
bool compares_bytes(const message::Column& column, bool& pads);

}  // namespace datasync::apply
