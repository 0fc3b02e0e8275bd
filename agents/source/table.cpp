#include "agents/source/table.hpp"

#include <algorithm>

#include "agents/base/identifier.hpp"

namespace datasync::source {

std::vector<std::string> missing_exclusions(const TableChoice& table, const message::TableSchema& full,
                                            const std::vector<std::string>& unread) {
  std::vector<std::string> out;
  for (const auto& name : table.exclude) {
    const bool found =
        std::ranges::any_of(full.columns, [&](const auto& c) { return base::same_column(c.name, name); }) ||
        std::ranges::any_of(unread, [&](const auto& c) { return base::same_column(c, name); });
    if (!found) out.push_back(name);
  }
  return out;
}

}  // namespace datasync::source
