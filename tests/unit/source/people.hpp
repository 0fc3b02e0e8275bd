#pragma once
// A captured table with an excluded column, for tests of exclusions.

#include <string>
#include <vector>

#include "agents/message/schema.hpp"
#include "agents/source/selection.hpp"

namespace datasync::source::test {

/// crm.people without its column "Secret".
inline TableChoice people() {
  TableChoice t;
  t.database = "crm";
  t.table = "people";
  t.exclude = {"Secret"};
  return t;
}

/// The definition of a table crm.people with these columns, the first of them its key.
inline message::TableSchema people_with(const std::vector<std::string>& columns) {
  message::TableSchema s;
  s.database = "crm";
  s.table = "people";
  for (const auto& name : columns) s.columns.push_back({.name = name});
  s.key = {0};
  return s;
}

}  // namespace datasync::source::test
