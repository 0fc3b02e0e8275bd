#include "agents/capture/plan/captured_schema.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/capture/plan/exclusions.hpp"
#include "agents/source/table.hpp"

namespace datasync::capture {

using base::Reason;

base::Result<message::TableSchema> captured_schema(const TableChoice& choice, const message::TableSchema& full,
                                                   const std::vector<std::string>& unread) {
  message::TableSchema out;
  out.database = full.database;
  out.table = full.table;
  if (const auto missing = source::missing_exclusions(choice, full, unread); !missing.empty())
    return exclusion_missing(choice, missing);
  std::vector<std::string> key;
  for (const auto i : full.key) key.push_back(full.columns[i].name);
  if (key.empty()) key = choice.key_columns;
  for (const auto& c : full.columns)
    if (!choice.excludes(c.name)) out.columns.push_back(c);
  for (const auto& name : key) {
    const auto at = std::ranges::find_if(out.columns, [&](const auto& c) { return base::same_column(c.name, name); });
    if (at == out.columns.end())
      return base::Error(Reason::KeyMissing,
                         fmt::format("key column {} of {} is not carried", name, choice.qualified()));
    out.key.push_back(static_cast<std::uint16_t>(at - out.columns.begin()));
  }
  if (out.key.empty())
    return base::Error(Reason::KeyMissing,
                       fmt::format("{} has no primary key; declare keyColumns", choice.qualified()));
  return out;
}

}  // namespace datasync::capture
