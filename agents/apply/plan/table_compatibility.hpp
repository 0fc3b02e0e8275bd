#pragma once
// Does a destination table take the rows of a source table, and what must the planner know of it? Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/apply/plan/planner.hpp"
#include "agents/base/identifier.hpp"
#include "agents/destination/dialect.hpp"
#include "agents/destination/table.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

/// Why `destination` cannot hold every value of `source` without loss; nothing when it can. Wider is fine. `is_key`:
/// equal values must stay equal and different ones different.
std::optional<std::string> misfit(const message::Column& source, const message::Column& destination, bool is_key);

/// TINYINT to BIGINT.
bool is_integer(message::ColumnType type) noexcept;
/// BINARY, VARBINARY and BLOB.
bool is_bytes(message::ColumnType type) noexcept;

/// A column of the destination that is too narrow, or that takes no value.
struct Narrow {
  std::uint16_t column = 0;  ///< of the source
  message::Column wanted;    ///< what the destination's column would have to be
  bool lossless = false;     ///< `wanted` takes every value that the column can hold now
  std::string text;          ///< "column price (INT at the destination, BIGINT at the source) is too narrow ..."
  bool computed = false;     ///< the destination computes the column, and the source does not
};

/// How a message schema meets the table that is there. Column names are compared as the server compares them.
struct Fit {
  std::vector<std::uint16_t> missing;  ///< source columns the destination lacks
  std::vector<Narrow> narrow;          ///< columns that must become wider before a row is written
  std::vector<std::string> unfilled;   ///< destination columns that must be given a value and get none
  std::vector<std::uint16_t> written;  ///< source columns to store: all but those that both sides compute
  std::vector<message::Column> there;  ///< by source column: the destination's, or the source's where it is missing
};
/// `required_extra`: destination columns that must be given a value. `restricted`: DestinationFacts::restricted; a
/// FLOAT or DOUBLE that rounds is too narrow for the other of the two types. For its own type it is accepted, because
/// no message says whether the source's column has the same digits.
Fit fit(const message::TableSchema& source, const TableInfo& destination, const Dialect& dialect,
        const std::vector<std::string>& required_extra, const std::map<std::string, std::string>& restricted = {});

/// What the planner must know. `name` and `parents` are keys of `names`, the destination's. `referenced` is left empty:
/// it depends on other tables. A table that is ordered says why in `why`.
PlanTable plan_table(const message::TableSchema& source, const TableInfo& destination, const base::TableNames& names,
                     std::string& why);

/// True when equal under this collation is equal bytes, or equal bytes but for trailing spaces (`pads`).
bool compares_bytes(const message::Column& column, bool& pads);

/// The column of this name; null when there is none.
const message::Column* find_column(const std::vector<message::Column>& columns, std::string_view name);

}  // namespace datasync::apply
