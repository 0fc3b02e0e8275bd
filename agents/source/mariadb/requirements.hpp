#pragma once
// What a MariaDB server and its tables must be like before anything is read: pure checks over facts. All that is wrong
// is reported at once, each with the statement that corrects it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "agents/source/mariadb/computed_columns.hpp"
#include "agents/source/mariadb/replication_filters.hpp"
#include "agents/source/selection.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::mariadb {

/// What a server says about itself; gathered by server_facts.hpp.
struct ServerFacts {
  bool is_mariadb = true;
  std::string version;
  std::string user;                              ///< CURRENT_USER(), for GRANT statements
  std::map<std::string, std::string> variables;  ///< global variables, lower-case names, values as SHOW gives them
  std::vector<std::string> grants;               ///< lines of SHOW GRANTS
  bool may_list_binlogs = true;                  ///< SHOW BINARY LOGS and SHOW MASTER STATUS are allowed
  bool may_see_replication = true;               ///< SHOW ALL SLAVES STATUS is allowed
  std::vector<Filters> filters;                  ///< complete only when both are allowed
  std::vector<std::uint32_t> other_server_ids;   ///< of the server, its primary and its replicas
  bool is_replica = false;
};

struct TableDetails {
  const TableChoice* choice = nullptr;
  bool readable = true;                ///< SELECT is granted
  std::optional<sql::TableInfo> info;  ///< nothing: no such table
  std::string user = "...";            ///< for GRANT statements
  std::string problem;                 ///< why `info` could not be read: a type that is not carried
  std::vector<Computed> computed;      ///< its generated columns and those with a default
  std::string kind;  ///< no `info`: of what has the name and is no table ("VIEW"); empty: nothing has it
};

/// Everything that is wrong with a server.
std::vector<Finding> check_server(const ServerFacts& facts, const Rules& rules, const Selection& selection);
/// The grants on *.*; `lists`: also those that only SHOW GRANTS tells of.
void check_grants(const ServerFacts& facts, bool lists, std::vector<Finding>& out);
/// Of these, what may change while a server runs: settings and filters.
std::vector<Finding> check_settings(const ServerFacts& facts, const Rules& rules, const Selection& selection);
std::vector<Finding> check_table(const TableDetails& table, const Selection& selection, const Rules& rules);

}  // namespace datasync::source::mariadb
