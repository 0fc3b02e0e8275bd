#pragma once
// What the destination's catalogue says of a table besides columns and keys: what the server does there by itself.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/identifier.hpp"
#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"

namespace datasync::apply {

/// When a table was made or altered, by whole seconds, as the catalogue has it. A question mark follows while the table
/// may be made again within the same second: two such values do not prove that it is the same table.
inline constexpr std::string_view kCreatedAt =
    "CONCAT(create_time, IF(create_time > NOW() - INTERVAL 2 SECOND, '?', ''))";

struct DestinationFacts {
  std::vector<std::string> required;           ///< columns that must be given a value
  std::vector<std::string> update_themselves;  ///< columns with ON UPDATE CURRENT_TIMESTAMP
  std::vector<std::string> numbered;           ///< columns with AUTO_INCREMENT
  std::vector<std::string> virtual_columns;    ///< computed when they are read
  /// "audit (AFTER UPDATE)": those that the user may see. Without the privilege TRIGGER there are none here:
  /// `executed_triggers` notices those.
  std::vector<std::string> triggers;
  std::map<std::string, std::string> attributes;  ///< by folded column name: what MODIFY COLUMN must repeat
  /// By folded column name, "DOUBLE(10,2)" or "POINT": what the type takes less than what messages say of it.
  std::map<std::string, std::string> restricted;
  std::string created;  ///< CREATE_TIME: also changed by most ALTER TABLE
};
/// Errors: those of the connection.
base::Result<DestinationFacts> read_destination_facts(sql::Connection& connection, const std::string& database,
                                                      const std::string& table);

/// For `restricted`: empty for a type that takes all that a message has for it. FLOAT and DOUBLE with digits round, and
/// a type of one geometry refuses the others.
std::string restriction_of(std::string_view data_type, std::string_view column_type);

/// Whether the table, a quoted name, has no row. Errors: those of the connection.
base::Result<bool> is_empty(sql::Connection& connection, const std::string& table);

/// A foreign key of another table, as its parent sees it.
struct Reference {
  std::string child, name;           ///< "shop.items", "fk_order"
  std::string child_key;             ///< TableNames::key of the child
  std::vector<std::string> columns;  ///< of the parent
  bool acts = false;                 ///< CASCADE, SET NULL or SET DEFAULT
};
struct References {
  std::map<std::string, std::vector<Reference>> by_parent;  ///< by TableNames::key
  /// The user sees the foreign keys of every table: it has a privilege besides SELECT on *.*. Otherwise a foreign key
  /// of a table without such a privilege is missing here, without an error.
  bool complete = false;
};
/// Errors: those of the connection.
base::Result<References> read_references(sql::Connection& connection, const base::TableNames& names);

/// True when one line of SHOW GRANTS gives a privilege besides SELECT and USAGE on every table.
bool grants_on_all_tables(std::string_view line);

/// How many triggers this connection has set off so far; it needs no privilege. Errors: those of the connection.
base::Result<std::uint64_t> executed_triggers(sql::Connection& connection);

/// lower_case_table_names of the server.
base::Result<base::TableNames> read_table_names(sql::Connection& connection);

}  // namespace datasync::apply
