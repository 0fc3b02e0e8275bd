#pragma once
// How the tables of the ledger are made. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace datasync::apply {

/// How far each stream has been applied (ledger.hpp).
std::string create_ledger(std::string_view database);
/// The tables that were written (known_tables.hpp).
std::string create_known_tables(std::string_view database);
/// The held tables (held_tables.hpp).
std::string create_held(std::string_view database);
/// The ranks of instances (instances.hpp).
std::string create_instances(std::string_view database);

/// A column that a table of an older version lacks, and the statement that adds it with a value that says that what it
/// would have held is unknown.
struct AddedColumn {
  std::string column, statement;
};
std::vector<AddedColumn> added_to_ledger(std::string_view database);
std::vector<AddedColumn> added_to_known_tables(std::string_view database);

}  // namespace datasync::apply
