#include "agents/source/mariadb/row_name.hpp"

#include <cstddef>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/message/row.hpp"

namespace datasync::source::mariadb {

std::string row_name(const message::TableSchema& schema) {
  constexpr std::size_t kMostColumns = 20;
  std::vector<std::string> key, lengths;
  for (const auto i : schema.key) key.push_back(sql::quote_identifier(schema.columns[i].name));
  for (const auto& column : schema.columns) {
    if (message::value_width(column.type) == message::kVariable)
      lengths.push_back(fmt::format("COALESCE(LENGTH({}),0)", sql::quote_identifier(column.name)));
  }
  const auto keys = fmt::format("{}", fmt::join(key, ", "));
  auto name = fmt::format("a row of {} (key {})", schema.qualified(), keys);
  if (!key.empty() && !lengths.empty() && lengths.size() <= kMostColumns)
    name += fmt::format(" (SELECT {} FROM {} ORDER BY {} DESC LIMIT 5 finds the largest)", keys,
                        sql::quote_identifier(schema.database, schema.table), fmt::join(lengths, "+"));
  return name;
}

}  // namespace datasync::source::mariadb
