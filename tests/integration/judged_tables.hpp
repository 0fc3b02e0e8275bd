#pragma once
// Compares what happened to tables with what judge() said.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agents/binlog/judgement.hpp"
#include "tests/support/ddl_tables.hpp"

namespace datasync::test {

/// What the binlog said of one statement.
struct Judged {
  std::vector<binlog::TableEffect> effects;
  bool certain = true;
  bool renames = false;                   ///< see Judgement
  std::set<std::string> concerned;        ///< when it is not certain: tables that it may concern
  std::set<std::string> with_row_events;  ///< tables of which rows are in the binlog
  std::string text;                       ///< for messages
};

using TableStates = std::map<std::string, DdlTableState>;

/// What happened to a table and was not said, or was said and did not happen; empty: nothing.
std::string disagreements(const TableStates& before, const TableStates& after, const Judged& judged);

}  // namespace datasync::test
