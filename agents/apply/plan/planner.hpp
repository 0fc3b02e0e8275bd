#pragma once
// Turns row changes in source order into few, large statements with the same result. Pure: no server, no clock. The
// rules and why they are safe: docs/decisions/0003-planner.md.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agents/apply/read/row_buffer.hpp"
#include "agents/base/bytes.hpp"

namespace datasync::apply {

/// Columns whose values may not repeat in a table.
struct UniqueKey {
  std::vector<std::uint16_t> columns;
  /// Per column: equal but for trailing spaces is equal (the _bin collations that pad).
  std::vector<char> pads;
};

/// What the planner must know of a table at the destination. Column indexes are those of the images.
struct PlanTable {
  std::string name;                       ///< a key, unique; how `parents` of other tables name this one
  UniqueKey key;                          ///< the row's identity; at least one column
  std::vector<UniqueKey> unique_keys;     ///< the others
  std::vector<std::string> parents;       ///< tables its foreign keys point to, itself included if so
  std::vector<std::uint16_t> referenced;  ///< columns that foreign keys of other tables point to
  /// Equal keys may have different bytes, keys may repeat, or foreign keys act by themselves: no folding, no
  /// reordering, neither here nor in any table connected by foreign keys.
  bool ordered = false;
  /// A delete must happen as a delete: foreign keys that act by themselves may point here and cannot be seen.
  bool keep_deletes = false;
  bool repeats = false;  ///< the destination would take a second row of the same key: nothing there forbids it
  /// Rows may be there already or missing (a snapshot is on its way, or conflicts are overwritten): an inserted and
  /// deleted row is deleted.
  bool unsure = false;
};

enum class StatementKind : std::uint8_t {
  Insert,            ///< after
  Update,            ///< before's key; after: every column but the key
  UpdateAllColumns,  ///< before's key; after: every column. Order within the run matters.
  Delete,            ///< before's key
  DeleteMaybe,       ///< before's key; the row may be missing
  DeleteNone,        ///< before's key; no such row may be there: the source inserted it and deleted it again
  Truncate,          ///< no rows: everything goes
};

struct PlannedRow {
  ImageAt before = kNoImage;
  ImageAt after = kNoImage;
};

/// One statement run for all its rows, in their order. Each row of it must match exactly one row at the destination,
/// except for DeleteMaybe, DeleteNone (no row) and Truncate.
struct Run {
  TableIndex table = 0;
  StatementKind kind = StatementKind::Insert;
  std::uint32_t first = 0;  ///< into Plan::rows
  std::uint32_t count = 0;
  bool ordered = false;  ///< several rows may concern one key
};

struct Plan {
  std::vector<Run> runs;
  std::vector<PlannedRow> rows;
  [[nodiscard]] std::span<const PlannedRow> rows_of(const Run& run) const {
    return std::span(rows).subspan(run.first, run.count);
  }
};

/// Not thread-safe. All scratch memory is kept from plan to plan.
class Planner {
 public:
  /// Replaces all tables; indexes are those of RowChange::table. Tables a foreign key names that are not among them do
  /// not matter. Two entries with one name are two versions of one table: its rows must not be of both in one plan.
  void set_tables(std::vector<PlanTable> tables);
  void set_unsure(TableIndex table, bool unsure) { tables_[table].unsure = unsure; }
  [[nodiscard]] bool is_ordered(TableIndex table) const { return group_ordered_[group_of_[table]] != 0; }

  /// The plan of `rows` (part of `buffer`). Valid until the next call.
  const Plan& plan(const RowBuffer& buffer, std::span<const RowChange> rows);

 private:
  enum class State : std::uint8_t { Inserted, Updated, Deleted, MaybeDeleted, NeverThere };
  struct Entry {  ///< all that happened to one row in the open segment
    TableIndex table = 0;
    State state = State::NeverThere;
    ImageAt before = kNoImage;
    ImageAt after = kNoImage;
  };
  struct Item {  ///< a value of a unique key that a row of the open segment has or had; key number 0 is the identity
    std::uint64_t hash = 0;
    std::uint32_t key = 0;
    TableIndex table = 0;
    ImageAt image = kNoImage;
    std::uint32_t owner = 0;  ///< into entries_
  };
  struct Slot {  ///< of the hash table over items_; small, since nearly every look-up of it misses the cache
    std::uint32_t generation = 0;  ///< the segment; slots of others count as free
    std::uint32_t item = 0;        ///< into items_
  };

  void find_groups();
  void sort_by_group(std::span<const RowChange> rows);
  void plan_ordered(std::span<const RowChange> rows, std::span<const std::uint32_t> which);
  void plan_folded(std::span<const RowChange> rows, std::span<const std::uint32_t> which);
  [[nodiscard]] bool moves(const RowChange& row) const;
  bool fold(const RowChange& row);
  bool next_state(Entry& entry, const RowChange& row) const;
  bool claim_values(const RowChange& row, std::uint32_t owner);
  std::uint32_t owner_of(TableIndex table, std::uint32_t key, ImageAt image, std::uint32_t newcomer);
  void forget_values();
  [[nodiscard]] const UniqueKey& key_of(TableIndex table, std::uint32_t key) const {
    return key == 0 ? tables_[table].key : tables_[table].unique_keys[key - 1];
  }
  [[nodiscard]] bool same_bytes(std::span<const std::uint16_t> columns, ImageAt a, ImageAt b) const;
  void close_segment();
  void emit_entry(const Entry& entry);
  void emit(TableIndex table, StatementKind kind, PlannedRow row, bool ordered);
  void grow_if_full(std::size_t more);

  std::vector<PlanTable> tables_;
  std::vector<std::uint32_t> group_of_;  ///< by table
  std::vector<std::uint32_t> rank_;      ///< by table: parents have lower ones
  std::vector<char> group_ordered_;

  const RowBuffer* buffer_ = nullptr;
  Plan plan_;
  std::vector<std::uint32_t> by_group_, starts_;
  std::vector<Entry> entries_;  ///< of the open segment
  std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted_;
  std::size_t segment_run_ = 0;  ///< the first run of the segment being emitted
  std::vector<Item> items_;
  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  std::uint32_t generation_ = 1;
};

}  // namespace datasync::apply
