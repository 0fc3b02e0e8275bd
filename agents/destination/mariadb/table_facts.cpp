#include "agents/destination/mariadb/table_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/format.h>

namespace datasync::apply {
namespace {

using sql::quote_text;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// `extra` of information_schema.columns holds ON UPDATE, AUTO_INCREMENT and INVISIBLE in the words of ALTER TABLE.
std::string attributes_of(const std::string& extra, const std::optional<std::string>& default_value,
                          const std::string& comment) {
  std::string out;
  if (default_value) out += "DEFAULT " + *default_value;
  if (has(extra, "auto_increment")) out += " AUTO_INCREMENT";
  if (const auto at = extra.find("on update "); at != std::string::npos) {
    const auto end = std::min(extra.find(',', at), extra.size());
    out += " " + extra.substr(at, end - at);
  }
  if (has(extra, "INVISIBLE")) out += " INVISIBLE";
  if (!comment.empty()) out += " COMMENT " + quote_text(comment);
  return out;
}

base::Result<void> read_columns(sql::Connection& connection, const std::string& where, DestinationFacts& out) {
  DS_ASSIGN(const auto rows, connection.query("SELECT column_name, column_default, is_nullable, extra, column_comment, "
                                              "data_type, column_type FROM "
                                              "information_schema.columns WHERE " +
                                              where));
  for (const auto& row : rows) {
    const auto name = row[0].value_or("");
    const auto extra = row[3].value_or("");
    const bool generated = has(extra, "GENERATED");
    if (has(extra, "VIRTUAL GENERATED")) out.virtual_columns.push_back(name);
    if (has(extra, "auto_increment")) out.numbered.push_back(name);
    if (row[2] == "NO" && !row[1] && !has(extra, "auto_increment") && !generated) out.required.push_back(name);
    if (has(extra, "on update ")) out.update_themselves.push_back(name);
    if (auto restricted = restriction_of(row[5].value_or(""), row[6].value_or("")); !restricted.empty())
      out.restricted[base::fold_identifier(name)] = std::move(restricted);
    if (!generated) out.attributes[base::fold_identifier(name)] = attributes_of(extra, row[1], row[4].value_or(""));
  }
  return {};
}

}  // namespace

std::string restriction_of(std::string_view data_type, std::string_view column_type) {
  static constexpr std::array<std::string_view, 8> kSome{
      "point",        "linestring",         "polygon",       "multipoint", "multilinestring",
      "multipolygon", "geometrycollection", "geomcollection"};
  const auto close = column_type.find(')');
  const bool rounds = (data_type == "float" || data_type == "double") && close != std::string_view::npos;
  std::string out;
  if (rounds) out = column_type.substr(0, close + 1);
  if (std::ranges::find(kSome, data_type) != kSome.end()) out = data_type;
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

base::Result<DestinationFacts> read_destination_facts(sql::Connection& connection, const std::string& database,
                                                      const std::string& table) {
  DestinationFacts out;
  const auto where = fmt::format("table_schema={} AND table_name={}", quote_text(database), quote_text(table));
  // First: a table that is altered while it is read is altered after this time.
  DS_ASSIGN(const auto created,
            connection.query_one(fmt::format("SELECT {} FROM information_schema.tables WHERE {}", kCreatedAt, where)));
  out.created = created.value_or("");
  DS_TRY(read_columns(connection, where, out));
  DS_ASSIGN(const auto triggers,
            connection.query(fmt::format("SELECT trigger_name, action_timing, event_manipulation FROM "
                                         "information_schema.triggers WHERE event_object_schema={} AND "
                                         "event_object_table={}",
                                         quote_text(database), quote_text(table))));
  for (const auto& row : triggers)
    out.triggers.push_back(fmt::format("{} ({} {})", row[0].value_or(""), row[1].value_or(""), row[2].value_or("")));
  return out;
}

bool grants_on_all_tables(std::string_view line) {
  static constexpr std::array<std::string_view, 11> kShowing{"ALL PRIVILEGES", "INSERT",  "UPDATE",     "DELETE",
                                                             "CREATE",         "ALTER",   "DROP",       "INDEX",
                                                             "REFERENCES",     "TRIGGER", "CREATE VIEW"};
  const auto on = line.find(" ON ");
  if (!line.starts_with("GRANT ") || on == std::string_view::npos || !line.substr(on).starts_with(" ON *.* TO "))
    return false;
  constexpr std::size_t kGrant = 6;
  std::string_view rest = line.substr(kGrant, on - kGrant);
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(", "), rest.size());
    if (std::ranges::find(kShowing, rest.substr(0, comma)) != kShowing.end()) return true;
    rest.remove_prefix(std::min(rest.size(), comma + 2));
  }
  return false;
}

// Two whole lists joined here: the server joins them table by table.
base::Result<References> read_references(sql::Connection& connection, const base::TableNames& names) {
  References out;
  DS_ASSIGN(const auto grants, connection.query("SHOW GRANTS"));
  for (const auto& row : grants) out.complete = out.complete || grants_on_all_tables(row[0].value_or(""));
  DS_ASSIGN(const auto rules,
            connection.query("SELECT constraint_schema, table_name, constraint_name, update_rule, delete_rule FROM "
                             "information_schema.referential_constraints"));
  if (rules.empty()) return out;
  using Id = std::tuple<std::string, std::string, std::string>;
  std::map<Id, bool> acting;
  const auto passive = [](const std::optional<std::string>& rule) { return rule == "RESTRICT" || rule == "NO ACTION"; };
  for (const auto& row : rules)
    acting[{row[0].value_or(""), row[1].value_or(""), row[2].value_or("")}] = !passive(row[3]) || !passive(row[4]);
  DS_ASSIGN(const auto columns,
            connection.query("SELECT table_schema, table_name, constraint_name, referenced_table_schema, "
                             "referenced_table_name, referenced_column_name FROM information_schema.key_column_usage "
                             "WHERE referenced_table_name IS NOT NULL ORDER BY 1, 2, 3, ordinal_position"));
  for (const auto& row : columns) {
    const Id id{row[0].value_or(""), row[1].value_or(""), row[2].value_or("")};
    const auto rule = acting.find(id);
    auto& references = out.by_parent[names.key(row[3].value_or(""), row[4].value_or(""))];
    const auto child = std::get<0>(id) + "." + std::get<1>(id);
    if (references.empty() || references.back().child != child || references.back().name != std::get<2>(id))
      references.push_back({child,
                            std::get<2>(id),
                            names.key(std::get<0>(id), std::get<1>(id)),
                            {},
                            rule == acting.end() || rule->second});
    references.back().columns.push_back(row[5].value_or(""));
  }
  return out;
}

base::Result<std::uint64_t> executed_triggers(sql::Connection& connection) {
  DS_ASSIGN(const auto count, connection.query_one("SELECT variable_value FROM information_schema.session_status "
                                                   "WHERE variable_name='EXECUTED_TRIGGERS'"));
  std::uint64_t out = 0;
  const auto text = count.value_or("0");
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

base::Result<base::TableNames> read_table_names(sql::Connection& connection) {
  DS_ASSIGN(const auto mode, connection.query_one("SELECT @@lower_case_table_names"));
  const auto text = mode.value_or("0");
  return base::TableNames(text == "1" ? 1 : text == "2" ? 2 : 0);
}

}  // namespace datasync::apply
