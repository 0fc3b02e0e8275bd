#include "agents/source/mariadb/replication_filters.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"

namespace datasync::source::mariadb {
namespace {

constexpr std::array kByDatabase{"replicate_do_db", "replicate_ignore_db", "binlog_do_db", "binlog_ignore_db"};
/// Of one connection each, set by CHANGE MASTER: which events it leaves out has nothing to do with tables.
struct ByOrigin {
  const char *name, *option;
};
constexpr std::array kByOrigin{ByOrigin{"replicate_do_domain_ids", "DO_DOMAIN_IDS"},
                               ByOrigin{"replicate_ignore_domain_ids", "IGNORE_DOMAIN_IDS"},
                               ByOrigin{"replicate_ignore_server_ids", "IGNORE_SERVER_IDS"}};
constexpr std::size_t kMostNamed = 5;

/// The items of a list that a server prints with commas.
std::vector<std::string> items(const std::string& list) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const auto end = std::min(list.find(',', begin), list.size());
    const auto first = list.find_first_not_of(' ', begin);
    if (first < end) out.push_back(list.substr(first, list.find_last_not_of(' ', end - 1) + 1 - first));
    begin = end + 1;
  }
  return out;
}

class Judge {
 public:
  Judge(const Filters& filters, const Selection& selection, bool fold) : filters_(filters), fold_(fold) {
    for (const auto& t : selection.tables()) tables_.push_back(&t);
  }

  void run(std::vector<FilterFinding>& out) const {
    for (const auto* name : kByDatabase)
      if (const auto value = this->value(name); !value.empty()) out.push_back(by_database(name, value));
    for (const auto& origin : kByOrigin)
      if (const auto value = this->value(origin.name); !value.empty()) out.push_back(by_origin(origin, value));
    if (const auto value = this->value("replicate_events_marked_for_skip"); !value.empty() && value != "REPLICATE")
      out.push_back(
          {fmt::format("{} is {}: what a session changes with skip_replication=1 is not replicated",
                       label("replicate_events_marked_for_skip"), value),
           "STOP ALL SLAVES; SET GLOBAL replicate_events_marked_for_skip='REPLICATE'; START ALL SLAVES, also in "
           "the option file"});
    if (const auto value = this->value("replicate_rewrite_db"); !value.empty()) {
      const auto hit = names([&](const TableChoice& t) { return rewritten(value, t.database); });
      if (!hit.empty())
        out.push_back(
            {fmt::format("{} is {}: changes of {} come under another name", label("replicate_rewrite_db"), value, hit),
             unset("replicate_rewrite_db")});
    }
    for (const auto* name : {"replicate_ignore_table", "replicate_wild_ignore_table"}) {
      const bool wild = std::string_view(name).find("wild") != std::string_view::npos;
      const auto hit = names([&](const TableChoice& t) { return listed(name, wild, t, true); });
      if (!hit.empty())
        out.push_back(
            {fmt::format("{} is {}: changes of {} are not replicated", label(name), value(name), hit), unset(name)});
    }
    const auto only = value("replicate_do_table"), wild = value("replicate_wild_do_table");
    if (only.empty() && wild.empty()) return;
    const auto missing = names([&](const TableChoice& t) {
      return !listed("replicate_do_table", false, t, fold_) && !listed("replicate_wild_do_table", true, t, fold_);
    });
    const auto* name = only.empty() ? "replicate_wild_do_table" : "replicate_do_table";
    if (!missing.empty())
      out.push_back({fmt::format("{} is {}: it does not name {}, whose changes are not replicated", label(name),
                                 value(name), missing),
                     unset(name) + ", or name the tables in it"});
  }

 private:
  [[nodiscard]] std::string value(const char* name) const {
    const auto at = filters_.values.find(name);
    return at == filters_.values.end() ? std::string() : at->second;
  }
  [[nodiscard]] std::string label(const char* name) const {
    return filters_.connection.empty() ? name : fmt::format("{} of connection {}", name, filters_.connection);
  }
  [[nodiscard]] std::string unset(const char* name) const {
    const auto prefix = filters_.connection.empty() ? std::string() : fmt::format("`{}`.", filters_.connection);
    return fmt::format(
        "STOP ALL SLAVES; SET GLOBAL {}{}=''; START ALL SLAVES, also in the option file; rows that were "
        "left out before must be brought to this server first",
        prefix, name);
  }
  [[nodiscard]] FilterFinding by_database(const char* name, const std::string& value) const {
    auto what = fmt::format(
        "{} is {}: it also drops statements about captured tables, by the default database of the "
        "session that runs them",
        label(name), value);
    if (std::string_view(name).starts_with("binlog"))
      return {std::move(what), fmt::format("remove {} from the server's option file and restart it", name)};
    return {std::move(what), unset(name) + "; replicate_wild_do_table and replicate_wild_ignore_table do not do this"};
  }

  [[nodiscard]] FilterFinding by_origin(const ByOrigin& origin, const std::string& value) const {
    const auto connection = filters_.connection.empty() ? std::string() : fmt::format(" '{}'", filters_.connection);
    return {
        fmt::format("{} is {}: transactions of other domains or servers are not replicated, also those that change "
                    "captured tables",
                    label(origin.name), value),
        fmt::format("STOP SLAVE{0}; CHANGE MASTER{0} TO {1}=(); START SLAVE{0}; rows that were left out before must "
                    "be brought to this server first",
                    connection, origin.option)};
  }

  template <class Test>
  [[nodiscard]] std::string names(Test test) const {
    std::string out;
    std::size_t count = 0;
    for (const auto* t : tables_) {
      if (!test(*t)) continue;
      if (++count <= kMostNamed) out += (out.empty() ? "" : ", ") + t->qualified();
    }
    return count > kMostNamed ? fmt::format("{} and {} more tables", out, count - kMostNamed) : out;
  }

  [[nodiscard]] bool listed(const char* name, bool wild, const TableChoice& table, bool fold) const {
    const auto form = [&](const std::string& text) { return fold ? base::fold_identifier(text) : text; };
    const auto full = form(table.qualified());
    return std::ranges::any_of(items(value(name)), [&](const auto& item) {
      return wild ? matches_wild(form(item), full) : form(item) == full;
    });
  }

  /// "from->to, ..."
  static bool rewritten(const std::string& value, const std::string& database) {
    const auto folded = base::fold_identifier(database);
    return std::ranges::any_of(items(value), [&](const auto& item) {
      const auto arrow = item.find("->");
      if (arrow == std::string::npos) return true;  // not understood: it may concern any table
      auto to = items(item.substr(arrow + 2));
      auto from = items(item.substr(0, arrow));
      const auto same = [&](const auto& side) { return side.empty() || base::fold_identifier(side.front()) == folded; };
      return same(from) || same(to);
    });
  }

  const Filters& filters_;
  bool fold_;
  std::vector<const TableChoice*> tables_;
};

}  // namespace

std::vector<FilterFinding> check_sql_thread(const std::map<std::string, std::string>& variables) {
  const auto value = [&](const char* name) {
    const auto at = variables.find(name);
    return at == variables.end() ? std::string() : base::fold_identifier(at->second);
  };
  static constexpr std::string_view kFirst = "rows that differ by now must be corrected on this server first";
  std::vector<FilterFinding> out;
  // LOGGING and ENFORCE write what triggers change: https://mariadb.com/kb/en/running-triggers-on-the-replica-for-rbr/
  if (value("slave_run_triggers_for_rbr") == "yes")
    out.push_back({"slave_run_triggers_for_rbr is YES: what triggers change on the replica is not in its binlog",
                   fmt::format("STOP ALL SLAVES; SET GLOBAL slave_run_triggers_for_rbr='NO' (or 'LOGGING'); START ALL "
                               "SLAVES, also in the option file; {}",
                               kFirst)});
  if (const auto skipped = value("slave_skip_errors"); !skipped.empty() && skipped != "off")
    out.push_back({fmt::format("slave_skip_errors is {}: changes that fail on the replica are left out", skipped),
                   fmt::format("remove slave_skip_errors from the server's option file and restart it; {}", kFirst)});
  if (value("slave_exec_mode") == "idempotent")
    out.push_back({"slave_exec_mode is IDEMPOTENT: changes of rows that the replica lacks are left out",
                   fmt::format("STOP ALL SLAVES; SET GLOBAL slave_exec_mode='STRICT'; START ALL SLAVES, also in the "
                               "option file; {}",
                               kFirst)});
  return out;
}

bool matches_wild(std::string_view pattern, std::string_view name) noexcept {
  while (!pattern.empty()) {
    if (pattern.front() == '%') {
      pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      for (std::size_t i = 0; i <= name.size(); ++i)
        if (matches_wild(pattern, name.substr(i))) return true;
      return false;
    }
    if (name.empty()) return false;
    if (pattern.front() == '_') {
      pattern.remove_prefix(1);
      do name.remove_prefix(1);  // one character, not one byte
      while (!name.empty() && (static_cast<unsigned char>(name.front()) & 0xC0U) == 0x80U);
      continue;
    }
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    if (pattern.front() != name.front()) return false;
    pattern.remove_prefix(1);
    name.remove_prefix(1);
  }
  return name.empty();
}

std::vector<FilterFinding> check_filters(const std::vector<Filters>& filters, const Selection& selection,
                                         bool fold_case) {
  std::vector<FilterFinding> out;
  for (const auto& f : filters) Judge(f, selection, fold_case).run(out);
  return out;
}

}  // namespace datasync::source::mariadb
