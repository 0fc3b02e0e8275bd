#pragma once
// What a replica and its tables must be like before anything is read: pure checks over facts. All that is wrong is told
// at once, each with the statement that mends it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/capture/plan/exclusions.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/replication_filters.hpp"
#include "agents/client/mysql/table_reader.hpp"

namespace datasync::capture {

/// What a server says about itself; gathered by facts.hpp.
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

struct TableFacts {
  const TableChoice* choice = nullptr;
  bool readable = true;                ///< SELECT is granted
  std::optional<sql::TableInfo> info;  ///< nothing: no such table
  std::string user = "...";            ///< for GRANT statements
  std::string problem;                 ///< why `info` could not be read: a type that is not carried
  std::vector<Computed> computed;      ///< its generated columns and those with a default
  std::string kind;  ///< no `info`: of what has the name and is no table ("VIEW"); empty: nothing has it
};

struct Finding {
  base::Reason reason = base::Reason::PreflightFailed;
  std::string what;  ///< "binlog_format is MIXED"
  std::string fix;   ///< "SET GLOBAL binlog_format='ROW'"
};

struct PreflightRules {
  bool allow_primary = false;
  bool allow_cascades = false;
  std::uint32_t server_id = 0;
};

/// Everything that is wrong, server first, then table by table.
std::vector<Finding> check_server(const ServerFacts& facts, const PreflightRules& rules, const Selection& selection);
/// The grants on *.*; `lists`: also those that only SHOW GRANTS tells of.
void check_grants(const ServerFacts& facts, bool lists, std::vector<Finding>& out);
/// Of these, what may change while a server runs: settings and filters.
std::vector<Finding> check_settings(const ServerFacts& facts, const PreflightRules& rules, const Selection& selection);
std::vector<Finding> check_tables(const std::vector<TableFacts>& tables, const Selection& selection,
                                  const PreflightRules& rules);

/// All findings in one error, a line each. Its reason is theirs when they agree, else PreflightFailed.
base::Result<void> verdict(const std::string& server, const std::vector<Finding>& findings);

/// The schema that messages of a captured table carry: without excluded columns, with the declared key.
/// Errors: KeyMissing; PreflightFailed when an excluded column is not there.
base::Result<message::TableSchema> captured_schema(const TableChoice& choice, const message::TableSchema& full,
                                                   const std::vector<std::string>& unread = {});

}  // namespace datasync::capture
