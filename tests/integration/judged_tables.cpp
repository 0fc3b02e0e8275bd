#include "tests/integration/judged_tables.hpp"

#include <algorithm>
#include <optional>
#include <regex>
#include <sstream>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"

namespace datasync::test {
namespace {

using binlog::TableEffect;
using What = TableEffect::What;
using Rows = std::vector<std::vector<std::string>>;

/// The names of parents and of their columns change when those are renamed, which does not concern the child's rows.
std::string without_parents(const std::string& definition) {
  static const std::regex kParent("REFERENCES [^(]*\\([^)]*\\)");
  return std::regex_replace(definition, kParent, "REFERENCES");
}

/// What a table had in the columns that the other one has too, one text for each row.
std::vector<std::string> common(const DdlTableState& of, const DdlTableState& with) {
  std::vector<std::size_t> columns;
  std::vector<std::string> names;
  for (const auto& column : with.table.columns) names.push_back(base::fold_identifier(column));
  std::vector<std::pair<std::string, std::size_t>> kept;
  for (std::size_t i = 0; i < of.table.columns.size(); ++i) {
    const auto name = base::fold_identifier(of.table.columns[i]);
    if (std::ranges::find(names, name) != names.end()) kept.emplace_back(name, i);
  }
  std::ranges::sort(kept);
  std::vector<std::string> out;
  for (const auto& row : of.rows) {
    std::string text;
    for (const auto& [name, i] : kept) text += name + row.at(i) + "|";
    out.push_back(std::move(text));
  }
  std::ranges::sort(out);
  return out;
}

/// A column that did not exist before has a value.
bool has_new_values(const DdlTableState& before, const DdlTableState& after) {
  for (std::size_t i = 0; i < after.table.columns.size(); ++i) {
    const bool old = std::ranges::any_of(before.table.columns,
                                         [&](const auto& c) { return base::same_column(c, after.table.columns[i]); });
    if (!old && std::ranges::any_of(after.rows, [&](const auto& row) { return row.at(i) != "NULL"; })) return true;
  }
  return false;
}

constexpr const char* kPrimary = "PRIMARY KEY";  // column names are in lower case

/// The columns of SHOW CREATE TABLE with their types, without what a table's default or a DEFAULT changes, and the key.
std::map<std::string, std::string> columns_of(const std::string& definition) {
  static const std::regex kColumn("^ *`((?:[^`]|``)+)` (.*?),?$"),
      kLeftOut(" (CHARACTER SET|COLLATE) \\w+| (DEFAULT|COMMENT|CHECK|ON UPDATE|INVISIBLE|AUTO_INCREMENT).*");
  std::map<std::string, std::string> out;
  std::istringstream lines(definition);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  PRIMARY KEY"))
      out[kPrimary] = base::fold_identifier(line.substr(0, line.find(')')));
    else if (std::smatch found; std::regex_match(line, found, kColumn))
      out[base::fold_identifier(std::regex_replace(found[1].str(), std::regex("``"), "`"))] =
          std::regex_replace(found[2].str(), kLeftOut, "");
  return out;
}

class Comparison {
 public:
  Comparison(const TableStates& before, const TableStates& after, const Judged& judged)
      : before_(before), after_(after), judged_(judged) {}

  std::string run() {
    for (const auto& [name, state] : before_)
      if (!after_.contains(name)) disappeared(name, state);
    for (const auto& [name, state] : after_) {
      const auto old = before_.find(name);
      old == before_.end() ? appeared(name, state) : stayed(name, old->second, state);
    }
    wrong_claims();
    return out_;
  }

 private:
  void fault(const std::string& name, std::string_view what) { out_ += fmt::format("{} {}; ", name, what); }

  [[nodiscard]] bool judged_as(const std::string& name, const DdlTable& table, What what) const {
    return std::ranges::any_of(judged_.effects, [&](const TableEffect& e) {
      const bool whole_database = e.name.table.empty() && e.name.database == table.database;
      return e.what == what && (whole_database || e.name.database + "." + e.name.table == name);
    });
  }
  /// Anything may have happened to it.
  [[nodiscard]] bool open(const std::string& name, const DdlTable& table) const {
    const bool renamed =
        judged_.renames && (judged_as(name, table, What::Moved) || judged_as(name, table, What::Dropped));
    return renamed || judged_.concerned.contains(name) || judged_as(name, table, What::Rows) ||
           judged_as(name, table, What::Statement);
  }
  [[nodiscard]] const DdlTableState* moved_from(const std::string& name) const {
    for (const auto& e : judged_.effects) {
      if (e.what != What::Moved || e.name.database + "." + e.name.table != name) continue;
      const auto was = before_.find(e.was.database + "." + e.was.table);
      if (was != before_.end()) return &was->second;
    }
    return nullptr;
  }

  void disappeared(const std::string& name, const DdlTableState& was) {
    if (!open(name, was.table) && !judged_as(name, was.table, What::Dropped)) fault(name, "disappeared");
  }

  void appeared(const std::string& name, const DdlTableState& now) {
    if (open(name, now.table)) return;
    if (const auto* was = moved_from(name)) return compare(name, *was, now, was->table.qualified());
    if (!judged_as(name, now.table, What::Created)) return fault(name, "appeared");
    if (!now.rows.empty() && !judged_.with_row_events.contains(name)) fault(name, "has rows without row events");
  }

  void stayed(const std::string& name, const DdlTableState& was, const DdlTableState& now) {
    if (open(name, now.table)) return;
    if (const auto* from = moved_from(name)) return compare(name, *from, now, from->table.qualified());
    const bool made =
        judged_as(name, now.table, What::Created) && std::ranges::any_of(judged_.effects, [&](const auto& e) {
          return e.what == What::Created && e.replaced && e.name.database + "." + e.name.table == name;
        });
    if (made) {
      if (!now.rows.empty() && !judged_.with_row_events.contains(name)) fault(name, "has rows without row events");
      return;
    }
    if (judged_as(name, now.table, What::Truncated)) {
      if (!now.rows.empty()) fault(name, "was not truncated");
      if (was.definition != now.definition) fault(name, "has another definition");
      return;
    }
    compare(name, was, now, name);
  }

  /// A table that has the name `name` now and was called `old`.
  void compare(const std::string& name, const DdlTableState& was, const DdlTableState& now, const std::string& old) {
    const auto either = [&](What what) { return judged_as(name, now.table, what) || judged_as(old, was.table, what); };
    if (open(old, was.table)) return;
    const bool values = common(was, now) != common(now, was) || has_new_values(was, now);
    if (was.rows.size() != now.rows.size()) return fault(name, "has other rows");
    if (values && !either(What::Values)) return fault(name, "has other values");
    if (without_parents(was.definition) != without_parents(now.definition) && !either(What::Definition) &&
        !either(What::Values) && !either(What::Moved))
      fault(name, "has another definition");
    if (judged_.certain) unnamed(name, was, now, old);
  }

  /// Capture takes a column that changed and is not named for one that another statement, which was not logged,
  /// changed.
  void unnamed(const std::string& name, const DdlTableState& was, const DdlTableState& now, const std::string& old) {
    std::set<std::string> named;
    for (const auto& e : judged_.effects) {
      const auto of = e.name.database + "." + e.name.table;
      if (of != name && of != old) continue;
      if (e.others) return;
      if (e.key) named.insert(kPrimary);
      for (const auto* list : {&e.columns, &e.added})
        for (const auto& column : *list) named.insert(base::fold_identifier(column));
    }
    const auto before = columns_of(was.definition), after = columns_of(now.definition);
    for (const auto* columns : {&before, &after})
      if (const auto key = columns->find(kPrimary); key != columns->end())
        for (const auto& column : std::set(named))
          if (key->second.find('`' + std::regex_replace(column, std::regex("`"), "``") + '`') != std::string::npos)
            named.insert(kPrimary);
    for (const auto& [a, b] : {std::pair(&before, &after), std::pair(&after, &before)})
      for (const auto& [column, type] : *a) {
        const auto other = b->find(column);
        if (!named.contains(column) && (other == b->end() || other->second != type))
          fault(name, "has another column " + column + ", which is not named");
      }
  }

  /// What is certain must be true.
  void wrong_claims() {
    if (!judged_.certain || judged_.renames) return;
    std::map<std::string, What> last;
    for (const auto& e : judged_.effects) last[e.name.database + "." + e.name.table] = e.what;
    for (const auto& [name, what] : last)
      if (what == What::Dropped && after_.contains(name)) fault(name, "was not dropped");
  }

  const TableStates& before_;
  const TableStates& after_;
  const Judged& judged_;
  std::string out_;
};

}  // namespace

std::string disagreements(const TableStates& before, const TableStates& after, const Judged& judged) {
  return Comparison(before, after, judged).run();
}

}  // namespace datasync::test
