#pragma once
// What the destination's catalogue says of a table besides columns and keys: what the server does there by itself.

#include <map>
#include <string>
#include <vector>

namespace datasync::apply {

struct DestinationFacts {
  std::vector<std::string> required;           ///< columns that must be given a value
  std::vector<std::string> update_themselves;  ///< columns with ON UPDATE CURRENT_TIMESTAMP
  std::vector<std::string> numbered;           ///< columns with AUTO_INCREMENT
  std::vector<std::string> virtual_columns;    ///< computed when they are read
  /// "audit (AFTER UPDATE)": those that the user may see. Others are noticed by DestinationServer::executed_triggers.
  std::vector<std::string> triggers;
  std::map<std::string, std::string> attributes;  ///< by folded column name: see Dialect::modify_column
  /// By folded column name, "DOUBLE(10,2)" or "POINT": what the type takes less than what messages say of it.
  std::map<std::string, std::string> restricted;
  /// When the table was made or altered, by whole seconds, as the catalogue has it. A question mark follows while the
  /// table may be made again within the same second: two such values do not prove that it is the same table.
  std::string created;
};

/// A foreign key of another table, as its parent sees it.
struct Reference {
  std::string child, name;           ///< "shop.items", "fk_order"
  std::string child_key;             ///< TableNames::key of the child
  std::vector<std::string> columns;  ///< of the parent
  bool acts = false;                 ///< CASCADE, SET NULL or SET DEFAULT
};
struct References {
  std::map<std::string, std::vector<Reference>> by_parent;  ///< by TableNames::key
  /// The user sees the foreign keys of every table. Otherwise some may be missing here, without an error.
  bool complete = false;
};

}  // namespace datasync::apply
