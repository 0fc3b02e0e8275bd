#include "agents/apply/plan/planner.hpp"

#include <algorithm>
#include <cstring>

#include <xxhash.h>

namespace datasync::apply {
namespace {

using message::Op;

bool equal(base::Bytes a, base::Bytes b) noexcept {
  return a.size() == b.size() && is_null(a) == is_null(b) &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/// Without the spaces that a padding collation does not see.
base::Bytes trimmed(base::Bytes value) noexcept {
  std::size_t size = value.size();
  while (size > 0 && value[size - 1] == std::byte{' '}) --size;
  return value.first(size);
}

base::Bytes compared(const RowBuffer& buffer, const UniqueKey& key, std::size_t i, ImageAt image) noexcept {
  const auto value = buffer.value(image, key.columns[i]);
  return key.pads[i] != 0 ? trimmed(value) : value;
}

bool has_null(const RowBuffer& buffer, const UniqueKey& key, ImageAt image) noexcept {
  return std::ranges::any_of(key.columns, [&](auto column) { return is_null(buffer.value(image, column)); });
}

ImageAt identity_of(const RowChange& row) noexcept {
  return row.op == Op::Insert ? row.after : row.before;
}

}  // namespace

const Plan& Planner::plan(const RowBuffer& buffer, std::span<const RowChange> rows) {
  buffer_ = &buffer;
  plan_.runs.clear();
  plan_.rows.clear();
  sort_by_group(rows);
  for (std::uint32_t group = 0; group < tables_.size(); ++group) {
    const auto which = std::span(by_group_).subspan(starts_[group], starts_[group + 1] - starts_[group]);
    if (which.empty()) continue;
    if (group_ordered_[group] != 0) {
      plan_ordered(rows, which);
    } else {
      plan_folded(rows, which);
    }
  }
  return plan_;
}

void Planner::sort_by_group(std::span<const RowChange> rows) {
  starts_.assign(tables_.size() + 2, 0);
  for (const auto& row : rows) ++starts_[group_of_[row.table] + 2];
  for (std::size_t i = 2; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  by_group_.resize(rows.size());
  for (std::uint32_t i = 0; i < rows.size(); ++i) by_group_[starts_[group_of_[rows[i].table] + 1]++] = i;
}

void Planner::plan_ordered(std::span<const RowChange> rows, std::span<const std::uint32_t> which) {
  for (const auto i : which) {
    const RowChange& row = rows[i];
    switch (row.op) {
      case Op::Insert:
        emit(row.table, StatementKind::Insert, {kNoImage, row.after}, true);
        break;
      case Op::Update:
        emit(row.table, moves(row) ? StatementKind::UpdateAllColumns : StatementKind::Update, {row.before, row.after},
             true);
        break;
      case Op::Delete:
        emit(row.table, StatementKind::Delete, {row.before, kNoImage}, true);
        break;
      case Op::Truncate:
        emit(row.table, StatementKind::Truncate, {}, true);
        break;
    }
  }
}

void Planner::plan_folded(std::span<const RowChange> rows, std::span<const std::uint32_t> which) {
  for (const auto i : which) {
    const RowChange& row = rows[i];
    if (row.op == Op::Truncate) {
      close_segment();
      emit(row.table, StatementKind::Truncate, {}, true);
    } else if (moves(row)) {
      close_segment();
      emit(row.table, StatementKind::UpdateAllColumns, {row.before, row.after}, true);
    } else if (!fold(row)) {
      close_segment();
      fold(row);
    }
  }
  close_segment();
}

/// The update changes who the row is, or what other tables point to.
bool Planner::moves(const RowChange& row) const {
  if (row.op != Op::Update) return false;
  const PlanTable& table = tables_[row.table];
  return !same_bytes(table.key.columns, row.before, row.after) || !same_bytes(table.referenced, row.before, row.after);
}

/// Takes the row into the open segment; false when it needs a new one (what was claimed for it falls with the old one).
bool Planner::fold(const RowChange& row) {
  grow_if_full(1 + 2 * tables_[row.table].unique_keys.size());
  const auto next = static_cast<std::uint32_t>(entries_.size());
  const auto owner = owner_of(row.table, 0, identity_of(row), next);
  const bool known = owner != next;
  Entry entry = known ? entries_[owner] : Entry{row.table, State::NeverThere, kNoImage, kNoImage};
  if (known && !next_state(entry, row)) return false;
  if (!claim_values(row, owner)) return false;
  if (known) {
    entries_[owner] = entry;
    return true;
  }
  entry.before = row.before;
  entry.after = row.after;
  entry.state = row.op == Op::Insert ? State::Inserted : row.op == Op::Update ? State::Updated : State::Deleted;
  entries_.push_back(entry);
  return true;
}

/// What a row of the open segment becomes; false when the two do not fold (the server will say what it thinks of them).
bool Planner::next_state(Entry& entry, const RowChange& row) const {
  const PlanTable& table = tables_[row.table];
  switch (entry.state) {
    case State::Inserted:
      if (row.op == Op::Insert) return false;
      if (row.op == Op::Update) {
        entry.after = row.after;
        return true;
      }
      entry = {row.table, table.unsure ? State::MaybeDeleted : State::NeverThere, row.before, kNoImage};
      return true;
    case State::Updated:
      if (row.op == Op::Insert) return false;
      entry.after = row.after;
      if (row.op == Op::Delete) entry.state = State::Deleted;
      return true;
    case State::Deleted:
      if (row.op != Op::Insert || table.keep_deletes || !same_bytes(table.key.columns, entry.before, row.after) ||
          !same_bytes(table.referenced, entry.before, row.after))
        return false;
      entry.after = row.after;
      entry.state = State::Updated;
      return true;
    case State::NeverThere:
      if (row.op != Op::Insert) return false;
      entry = {row.table, State::Inserted, kNoImage, row.after};
      return true;
    case State::MaybeDeleted:
      return false;
  }
  return false;
}

/// Notes the unique values before and after as this row's; false when another row of the segment has or had one of
/// them.
bool Planner::claim_values(const RowChange& row, std::uint32_t owner) {
  const auto keys = static_cast<std::uint32_t>(tables_[row.table].unique_keys.size());
  for (std::uint32_t key = 1; key <= keys; ++key) {
    for (const ImageAt image : {row.before, row.after}) {
      if (image == kNoImage || has_null(*buffer_, key_of(row.table, key), image)) continue;
      if (owner_of(row.table, key, image, owner) != owner) return false;
    }
  }
  return true;
}

/// Whose value it is: of the row that has or had it, or of `newcomer` from now on.
std::uint32_t Planner::owner_of(TableIndex table, std::uint32_t key, ImageAt image, std::uint32_t newcomer) {
  const UniqueKey& columns = key_of(table, key);
  std::uint64_t hash = (std::uint64_t{table} << 16U) + key;
  for (std::size_t i = 0; i < columns.columns.size(); ++i) {
    const auto value = compared(*buffer_, columns, i, image);
    hash = XXH3_64bits_withSeed(value.data(), value.size(), hash + (is_null(value) ? 1U : 0U));
  }
  const auto same = [&](const Item& item) {
    if (item.hash != hash || item.table != table || item.key != key) return false;
    for (std::size_t i = 0; i < columns.columns.size(); ++i) {
      if (!equal(compared(*buffer_, columns, i, item.image), compared(*buffer_, columns, i, image))) return false;
    }
    return true;
  };
  auto at = hash & (slots_.size() - 1);
  for (; slots_[at].generation == generation_; at = (at + 1) & (slots_.size() - 1))
    if (const Item& item = items_[slots_[at].item]; same(item)) return item.owner;
  slots_[at] = {generation_, static_cast<std::uint32_t>(items_.size())};
  items_.push_back({hash, key, table, image, newcomer});
  return newcomer;
}

void Planner::grow_if_full(std::size_t more) {
  if ((items_.size() + more) * 2 <= slots_.size()) return;
  slots_.assign(slots_.size() * 2, {});
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    auto at = items_[i].hash & (slots_.size() - 1);
    while (slots_[at].generation == generation_) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {generation_, i};
  }
}

void Planner::forget_values() {
  items_.clear();
  if (++generation_ != 0) return;
  std::ranges::fill(slots_, Slot{});  // the number came round: a slot of long ago would count as taken
  generation_ = 1;
}

bool Planner::same_bytes(std::span<const std::uint16_t> columns, ImageAt a, ImageAt b) const {
  return std::ranges::all_of(columns,
                             [&](auto column) { return equal(buffer_->value(a, column), buffer_->value(b, column)); });
}

/// Inserts with parents first, updates, deletes with children first. Within a segment no two rows share a unique value
/// and no key changes, so that nothing else about the order matters.
void Planner::close_segment() {
  constexpr std::uint64_t kDeletes = 2;
  sorted_.clear();
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const Entry& e = entries_[i];
    const std::uint64_t rank = rank_[e.table];
    const std::uint64_t turn = e.state == State::Inserted  ? rank
                               : e.state == State::Updated ? std::uint64_t{1} << 60U
                                                           : (kDeletes << 60U) + 0xFFFFFF - rank;
    const std::uint64_t how = e.state == State::MaybeDeleted ? 1 : e.state == State::NeverThere ? 2 : 0;
    sorted_.emplace_back((turn >> 60U << 60U) + ((turn & 0xFFFFFFU) << 34U) + (std::uint64_t{e.table} << 2U) + how, i);
  }
  if (!std::is_sorted(sorted_.begin(), sorted_.end())) std::sort(sorted_.begin(), sorted_.end());
  segment_run_ = plan_.runs.size();
  for (const auto& [turn, i] : sorted_) emit_entry(entries_[i]);
  segment_run_ = plan_.runs.size();
  entries_.clear();
  forget_values();
}

void Planner::emit_entry(const Entry& entry) {
  switch (entry.state) {
    case State::Inserted:
      return emit(entry.table, StatementKind::Insert, {kNoImage, entry.after}, false);
    case State::Updated:
      return emit(entry.table, StatementKind::Update, {entry.before, entry.after}, false);
    case State::Deleted:
      return emit(entry.table, StatementKind::Delete, {entry.before, kNoImage}, false);
    case State::MaybeDeleted:
      return emit(entry.table, StatementKind::DeleteMaybe, {entry.before, kNoImage}, false);
    case State::NeverThere:
      return emit(entry.table, StatementKind::DeleteNone, {entry.before, kNoImage}, false);
  }
}

void Planner::emit(TableIndex table, StatementKind kind, PlannedRow row, bool ordered) {
  const bool open = ordered || plan_.runs.size() > segment_run_;
  if (!open || plan_.runs.empty() || plan_.runs.back().table != table || plan_.runs.back().kind != kind ||
      plan_.runs.back().ordered != ordered)
    plan_.runs.push_back({table, kind, static_cast<std::uint32_t>(plan_.rows.size()), 0, ordered});
  if (kind == StatementKind::Truncate) return;
  plan_.rows.push_back(row);
  ++plan_.runs.back().count;
}

}  // namespace datasync::apply
