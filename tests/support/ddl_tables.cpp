#include "tests/support/ddl_tables.hpp"

#include <regex>

#include <fmt/format.h>

namespace datasync::test {
namespace {

/// The quoted name at `at`, which is its opening quote.
std::string name_at(std::string_view text, std::size_t at) {
  std::string out;
  for (auto i = at + 1; i < text.size(); ++i) {
    if (text[i] == '`' && (i + 1 >= text.size() || text[i + 1] != '`')) break;
    if (text[i] == '`') ++i;
    out.push_back(text[i]);
  }
  return out;
}

DdlTableState read_table(Session& session, const std::string& database, const std::string& name) {
  static const std::regex kCounter(" AUTO_INCREMENT=[0-9]+");
  DdlTableState out;
  out.table = {database, name};
  const auto full = quote_name(database) + "." + quote_name(name);
  try {
    const auto text = session.query("SHOW CREATE TABLE " + full).at(0).at(1).value_or("");
    out.definition = std::regex_replace(text, kCounter, "");
    out.table = parse_definition(database, name, text);
    std::string columns;
    for (const auto& column : out.table.columns) columns += (columns.empty() ? "" : ",") + quote_name(column);
    for (const auto& row : session.query(fmt::format("SELECT {} FROM {}", columns, full))) {
      auto& values = out.rows.emplace_back();
      for (const auto& value : row) values.push_back(value ? "=" + *value : "NULL");
    }
  } catch (const SqlError& error) {
    if (out.definition.empty()) out.definition = error.what();
    out.rows.clear();
  }
  return out;
}

}  // namespace

DdlTable parse_definition(const std::string& database, const std::string& name, const std::string& definition) {
  DdlTable out{database, name};
  for (std::size_t at = 0; at < definition.size();) {
    const auto end = std::min(definition.find('\n', at), definition.size());
    const std::string_view line(definition.data() + at, end - at);
    at = end + 1;
    const auto quote = line.find('`');
    if (quote == std::string_view::npos) continue;
    const auto before = line.substr(0, quote);
    if (before == "  ") out.columns.push_back(name_at(line, quote));
    if (before.ends_with("KEY ") && before.find("FOREIGN") == std::string_view::npos)
      out.indexes.push_back(name_at(line, quote));
    if (before.ends_with("PARTITION ")) out.partitions.push_back(name_at(line, quote));
  }
  return out;
}

std::map<std::string, DdlTableState> read_tables(Session& session, std::span<const std::string> databases) {
  std::map<std::string, DdlTableState> out;
  std::string list;
  for (const auto& database : databases) list += (list.empty() ? "" : ",") + quote(database);
  const auto names = session.query(
      "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type IN ('BASE TABLE', "
      "'SYSTEM VERSIONED') AND table_schema IN (" +
      list + ")");
  for (const auto& row : names) {
    auto state = read_table(session, row.at(0).value_or(""), row.at(1).value_or(""));
    out.emplace(state.table.qualified(), std::move(state));
  }
  return out;
}

}  // namespace datasync::test
