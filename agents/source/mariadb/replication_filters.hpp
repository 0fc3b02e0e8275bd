#pragma once
// Replication and binlog filters: which of them may keep changes of captured tables out of a server's binlog. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agents/source/selection.hpp"

namespace datasync::source::mariadb {

/// Filters that are set on a server. https://mariadb.com/kb/en/replication-filters/
struct Filters {
  std::string connection;                     ///< to a primary, by its name; empty: the default one, and the binlog
  std::map<std::string, std::string> values;  ///< "replicate_do_db" and so on, lower case; none is empty
};

struct FilterFinding {
  std::string what, fix;
};

/// One finding for each filter that may drop or change a captured table's rows or statements. Filters by database are
/// refused whatever they name: they judge a statement by its session's default database, so that a TRUNCATE of any
/// table may be dropped. `fold_case`: the server compares table names without case.
std::vector<FilterFinding> check_filters(const std::vector<Filters>& filters, const Selection& selection,
                                         bool fold_case);

/// Settings of a replica's SQL thread by which its binlog differs from what it stores, or changes are left out without
/// an error. `variables`: global ones, names in lower case.
std::vector<FilterFinding> check_sql_thread(const std::map<std::string, std::string>& variables);

/// A table name against a pattern of replicate_wild_*: % and _ as in LIKE, escaped by a backslash.
bool matches_wild(std::string_view pattern, std::string_view name) noexcept;

}  // namespace datasync::source::mariadb
