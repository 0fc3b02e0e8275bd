// The name that a table of the source has at the destination.

#include <algorithm>

#include "agents/apply/write/catalog.hpp"
#include "agents/base/identifier.hpp"

namespace datasync::apply {
namespace {

TargetName split(const std::string& qualified) {
  const auto dot = std::min(qualified.find('.'), qualified.size() - 1);
  return {qualified.substr(0, dot), qualified.substr(dot + 1)};
}

}  // namespace

TargetName target_name(const config::Apply& config, const std::string& database, const std::string& table) {
  const auto source = database + "." + table;
  auto renamed = config.rename.find(source);
  if (renamed == config.rename.end())
    renamed =
        std::ranges::find_if(config.rename, [&](const auto& rule) { return base::same_column(rule.first, source); });
  if (renamed == config.rename.end()) return {database, table};
  return split(renamed->second);
}

TargetName target_name(const config::Apply& config, const std::string& source) {
  const auto name = split(source);
  return target_name(config, name.database, name.table);
}

TargetName name_of(const KnownTable& known) {
  return split(known.target);
}

}  // namespace datasync::apply
