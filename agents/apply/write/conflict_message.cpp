#include "agents/apply/write/conflict_message.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::apply {
std::string describe_change(const TargetTable& table, const RowChange& change) {
  static constexpr std::string_view kNames[] = {"", "insert", "update", "delete", "truncate"};
  auto text = fmt::format("{} of {}", kNames[static_cast<std::size_t>(change.op)], table.qualified());
  if (change.op == message::Op::Truncate) return text;
  std::vector<std::string_view> key;
  for (const auto index : table.names.key) key.emplace_back(table.schema->columns[index].name);
  return text + fmt::format(" (key {})", fmt::join(key, ", "));
}

}  // namespace datasync::apply
