#pragma once
// What MariaDB's catalogue says of tables besides columns and keys. Errors of all functions: those of the connection.

#include <string>
#include <string_view>

#include "agents/base/identifier.hpp"
#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/destination/destination_facts.hpp"

namespace datasync::apply {

/// See DestinationFacts::created: CREATE_TIME, which most ALTER TABLE change too.
inline constexpr std::string_view kCreatedAt =
    "CONCAT(create_time, IF(create_time > NOW() - INTERVAL 2 SECOND, '?', ''))";

base::Result<DestinationFacts> read_destination_facts(sql::Connection& connection, const std::string& database,
                                                      const std::string& table);

/// For `restricted`: empty for a type that takes all that a message has for it. FLOAT and DOUBLE with digits round, and
/// a type of one geometry refuses the others.
std::string restriction_of(std::string_view data_type, std::string_view column_type);

/// Complete where the user has a privilege besides SELECT on *.*.
base::Result<References> read_references(sql::Connection& connection, const base::TableNames& names);

/// True when one line of SHOW GRANTS gives a privilege besides SELECT and USAGE on every table.
bool grants_on_all_tables(std::string_view line);

/// How many triggers this connection has set off so far; it needs no privilege.
base::Result<std::uint64_t> executed_triggers(sql::Connection& connection);

/// lower_case_table_names of the server.
base::Result<base::TableNames> read_table_names(sql::Connection& connection);

}  // namespace datasync::apply
