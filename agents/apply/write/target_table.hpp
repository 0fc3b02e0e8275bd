#pragma once
// A table of the destination as the catalogue has read it, and what it is compared with.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/apply/plan/planner.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/dialect.hpp"
#include "agents/destination/known_tables.hpp"
#include "agents/destination/table.hpp"

namespace datasync::apply {

/// One version of a source table and where its rows go.
struct TargetTable {
  std::shared_ptr<const message::TableSchema> schema;
  StatementTable names;
  PlanTable plan;
  TableInfo info;         ///< of the destination
  std::string created;    ///< CREATE_TIME at the destination
  bool has_rows = false;  ///< known to have been written
  /// Columns of which no row is known to have a value of its own: no NULL, or where NULL is not allowed, two values.
  std::vector<std::uint16_t> unfilled;
  std::map<std::uint16_t, std::size_t> first_values;  ///< hashes, of those that do not allow NULL
  std::string way_on_for_values;  ///< ends the message when it refuses a value of a type that its column does not take
  std::uint64_t serial = 0;       ///< of this object: no other of the same catalogue has it
  bool altered = false;           ///< by a user, after it was read: rows must not be stored by what is known here
  bool tolerant = false;          ///< a snapshot of it is on its way: rows may be there already or missing
  // Foreign keys, see Executor::set_checks.
  bool parents_incomplete = false;   ///< it, or a table that it points to, is being copied
  bool children_incomplete = false;  ///< it, or a table that points to it, is being copied
  bool children_follow = false;      ///< a foreign key that points to it acts by itself
  [[nodiscard]] std::string qualified() const { return names.database + "." + names.table; }
  [[nodiscard]] std::size_t columns() const { return schema->columns.size(); }
};

/// A table that the source has dropped.
struct DroppedTable {
  TargetName target;
  std::string source;
};
/// A name in `rename` counts as it is written, and if there is none so, without regard to case.
TargetName target_name(const config::Apply& config, const std::string& database, const std::string& table);
/// The same for a qualified name of the source.
TargetName target_name(const config::Apply& config, const std::string& source);

/// Where a known table is at the destination.
TargetName name_of(const KnownTable& known);

/// In place of CREATE_TIME: the source has dropped the table, and apply is dropping it.
inline constexpr std::string_view kDropping = "dropping";

/// It was found young, and CREATE_TIME is in that second: nothing says that it was altered.
bool is_same_second(const KnownTable& known, std::string_view created);

/// A known table is not as it was: the error with both ways on, to restore it or to have it copied again.
base::Error lost(const KnownTable& known, base::Reason reason, std::string_view what);

/// The foreign keys of a table that act by themselves: "fk (ON UPDATE CASCADE ON DELETE RESTRICT)", sorted.
std::vector<std::string> actions_of(const TableInfo& info);

/// A table as the destination's catalogue lists it.
struct FoundTable {
  std::string created;
  std::set<std::string> columns;  ///< folded
};

/// A change that a table of the destination needs before it takes the source's rows.
struct Alteration {
  std::string why;        ///< "column price (INT at the destination, BIGINT at the source) is too narrow ..."
  std::string statement;  ///< ALTER TABLE
  bool lossless = false;  ///< no value that is stored can become another one or be in the way
  bool ours = true;       ///< what it changes followed the source before; otherwise it is the user's
  std::vector<std::string> columns;  ///< those that it alters
};

}  // namespace datasync::apply
