#include "agents/capture/plan/snapshot_plan.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/plan/route.hpp"

namespace datasync::capture {
namespace {

using message::SnapshotProgress;
using message::TableScope;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::string name_of(const SnapshotProgress& p) {
  return p.database + "." + p.table;
}

/// KnownSnapshot, easier to ask.
struct Known {
  SnapshotProgress whole;
  bool begun = false;
  std::map<std::string, SnapshotProgress> progress;

  [[nodiscard]] bool unfinished() const { return begun && !whole.done; }
  [[nodiscard]] bool covers(const std::string& table) const { return contains(whole.tables, table); }
  [[nodiscard]] bool stale(const std::string& table) const { return contains(whole.stale, table); }
  [[nodiscard]] bool due(const std::string& table) const { return stale(table) || contains(whole.again, table); }
  [[nodiscard]] bool finished(const std::string& table) const {
    const auto at = progress.find(table);
    return covers(table) && ((whole.done && !due(table)) || (at != progress.end() && at->second.done));
  }
};

Known fold(const KnownSnapshot& records) {
  Known k;
  for (const auto& r : records) {
    if (r.table.empty()) {
      k.begun = true;
      k.whole = r;
    } else {
      k.progress.emplace(name_of(r), r);
    }
  }
  return k;
}

const TableChoice* find(const Selection& selection, const std::string& name) {
  const auto tables = selection.tables();
  const auto at = std::ranges::find(tables, name, &TableChoice::qualified);
  return at == tables.end() ? nullptr : &*at;
}

TableScope scope_of(const TableChoice& table) {
  return {table.type, table.exclude};
}

bool shows_more(const TableScope& before, const TableChoice& now) {
  return std::ranges::any_of(before.exclude, [&](const auto& column) { return !now.excludes(column); });
}

}  // namespace

std::string make_snapshot_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

base::Result<std::vector<Outdated>> outdated_by(const Selection& selection, const KnownSnapshot& known) {
  const auto last = fold(known);
  std::vector<Outdated> out;
  for (std::size_t i = 0; i < last.whole.tables.size(); ++i) {
    const auto& name = last.whole.tables[i];
    const auto* now = find(selection, name);
    if (now == nullptr) {
      out.push_back({name, true});
      continue;
    }
    if (i >= last.whole.scopes.size() || last.whole.scopes[i].type.empty()) continue;  // a record of before
    const auto& before = last.whole.scopes[i];
    if (before.type != now->type) {
      const auto stream = stream_of(before.type, selection.streams());
      if (stream != now->stream)
        return base::Error(
            base::Reason::ConfigInvalid,
            fmt::format(
                "{} was published as type {} on partition {}; as type {} it would be on partition {}, and readers "
                "of both would know no order. Name it under {} again, or use a topic of its own",
                name, before.type, stream, now->type, now->stream, before.type));
      out.push_back({name, true});
    } else if (shows_more(before, *now)) {
      out.push_back({name, false});
    }
  }
  return out;
}

std::vector<Outdated> everything(const Selection& selection) {
  std::vector<Outdated> out;
  for (const auto& t : selection.tables()) out.push_back({t.qualified(), true});
  return out;
}

std::vector<SnapshotProgress> revise(const KnownSnapshot& known, const Selection& selection,
                                     const std::vector<Outdated>& outdated, const std::string& id) {
  const auto last = fold(known);
  auto whole = last.whole;
  whole.id = id;
  whole.done = !last.unfinished();
  whole.scopes.resize(whole.tables.size());
  bool begins_again = false;  // a copy that is under way
  for (const auto& o : outdated) {
    if (!last.covers(o.table) && !contains(whole.tables, o.table)) {
      if (!o.rows_missed) continue;  // never copied
      whole.tables.push_back(o.table);
      whole.scopes.emplace_back();
    }
    auto& list = o.rows_missed ? whole.stale : whole.again;
    if (!contains(list, o.table)) list.push_back(o.table);
    // Whether or not its progress was seen: it may not be acknowledged yet.
    begins_again = begins_again || find(selection, o.table) != nullptr;
  }
  for (std::size_t i = 0; i < whole.tables.size(); ++i)
    if (const auto* table = find(selection, whole.tables[i])) whole.scopes[i] = scope_of(*table);
  const auto same = [&](auto part) { return whole.*part == last.whole.*part; };
  const bool known_so = same(&SnapshotProgress::tables) && same(&SnapshotProgress::scopes) &&
                        same(&SnapshotProgress::stale) && same(&SnapshotProgress::again);
  if (known_so && !(begins_again && last.unfinished())) return {};
  // The whole first: from then on a crash only means that more is copied again than need be.
  std::vector<SnapshotProgress> out{whole};
  for (const auto& name : whole.tables) {
    const auto at = last.progress.find(name);
    const bool holds = std::ranges::find(outdated, name, &Outdated::table) == outdated.end();
    if (at == last.progress.end() || !last.unfinished() || !holds) continue;
    out.push_back(at->second);
    out.back().id = id;
  }
  return out;
}

bool is_noted(const KnownSnapshot& known, const Outdated& table) {
  const auto last = fold(known);
  if (!contains(table.rows_missed ? last.whole.stale : last.whole.again, table.table)) return false;
  return !last.unfinished() || !last.progress.contains(table.table);
}

SnapshotProgress SnapshotPlan::whole(bool complete, const std::set<std::string>& missing) const {
  SnapshotProgress p;
  p.id = id;
  p.done = complete;
  for (const auto* t : all) {
    p.tables.push_back(t->qualified());
    p.scopes.push_back(scope_of(*t));
  }
  const auto mine = p.tables;
  for (std::size_t i = 0; i < known.tables.size(); ++i) {
    if (contains(mine, known.tables[i])) continue;
    p.tables.push_back(known.tables[i]);
    p.scopes.push_back(i < known.scopes.size() ? known.scopes[i] : TableScope{});
  }
  const auto left = [&](const std::vector<std::string>& names) {
    std::vector<std::string> out;
    for (const auto& name : names)
      if (!complete || !contains(mine, name) || missing.contains(name)) out.push_back(name);
    return out;
  };
  p.stale = left(known.stale);
  for (const auto& name : missing)
    if (!contains(p.stale, name)) p.stale.push_back(name);
  p.again = left(known.again);
  return p;
}

std::optional<SnapshotPlan> plan_snapshot(const Selection& selection, config::SnapshotMode mode,
                                          const KnownSnapshot& known, const std::function<std::string()>& make_id) {
  const auto last = fold(known);
  SnapshotPlan plan;
  plan.known = last.whole;
  bool added = false;
  for (const auto& t : selection.tables()) {
    const auto name = t.qualified();
    const bool covered = last.covers(name);
    if (!covered && mode == config::SnapshotMode::Never) continue;
    plan.all.push_back(&t);
    if (last.finished(name)) {
      plan.done.push_back(&t);
      continue;
    }
    added = added || !covered;
    SnapshotTask task{&t, {}, 0, 0, last.stale(name)};
    if (const auto at = last.progress.find(name); last.unfinished() && at != last.progress.end()) {
      task.after_key = at->second.last_key;
      task.rows_done = at->second.rows_done;
      task.rows_estimate = at->second.rows_estimate;
    }
    plan.tasks.push_back(std::move(task));
  }
  if (plan.tasks.empty() && !last.unfinished()) return std::nullopt;
  plan.fresh = !last.unfinished() || added;
  plan.id = plan.fresh ? make_id() : last.whole.id;
  return plan;
}

}  // namespace datasync::capture
