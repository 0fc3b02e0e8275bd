#include "agents/apply/plan/stored_columns.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/apply/plan/table_compatibility.hpp"
#include "agents/base/identifier.hpp"
#include "agents/base/text.hpp"
#include "agents/destination/known_tables.hpp"

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

std::string restriction_in(const StoredColumns& stored, const Column& column) {
  const auto at = stored.restricted.find(base::fold_identifier(column.name));
  return at == stored.restricted.end() ? std::string() : at->second;
}

bool is_string(ColumnType t) {
  return t == ColumnType::Char || t == ColumnType::VarChar || t == ColumnType::Text;
}

/// The condition, or nothing when there is none.
std::optional<std::string> shown(std::string condition) {
  return condition.empty() ? std::nullopt : std::optional(std::move(condition));
}

/// True for the values that may be what was left of larger ones; nothing when that does not show.
std::optional<std::string> cut_values(const Column& before, const Column& now, const Dialect& dialect) {
  const bool shows = (is_integer(before.type) && is_integer(now.type)) ||
                     (is_string(before.type) && is_string(now.type) && before.charset == now.charset) ||
                     (is_bytes(before.type) && is_bytes(now.type));
  return shows ? shown(dialect.cut_values(now)) : std::nullopt;
}

std::optional<std::string> suspects_of(const Column& before, const Column& now, const Dialect& dialect) {
  Column optional = now;
  optional.nullable = true;
  const auto nulls =
      before.nullable && !now.nullable ? shown(dialect.values_for_null(now)) : std::optional<std::string>("");
  const auto cut = misfit(before, optional, false) ? cut_values(before, now, dialect) : std::optional<std::string>("");
  if (!nulls || !cut) return std::nullopt;
  return *nulls + (nulls->empty() || cut->empty() ? "" : " OR ") + *cut;
}

}  // namespace

StoredColumns stored_columns(const std::vector<Column>& there, const std::map<std::string, std::string>& restricted,
                             const std::vector<std::string>& written) {
  StoredColumns out;
  for (const auto& name : written) {
    const auto* column = find_column(there, name);
    if (column == nullptr) continue;
    out.columns.push_back(*column);
    const auto key = base::fold_identifier(name);
    if (const auto at = restricted.find(key); at != restricted.end()) out.restricted.insert(*at);
  }
  return out;
}

std::string to_text(const StoredColumns& stored) {
  if (stored.columns.empty()) return "";
  message::TableSchema schema;
  schema.columns = stored.columns;
  std::vector<std::string> lines{message::serialize(schema)};
  for (const auto& [name, restriction] : stored.restricted) lines.insert(lines.end(), {name, restriction});
  return base::to_hex(lines_text(lines));
}

std::optional<StoredColumns> parse_stored_columns(std::string_view text) {
  const auto bytes = base::from_hex(text);
  if (!bytes || bytes->empty()) return std::nullopt;
  const auto lines = parse_lines(*bytes);
  if (lines.size() % 2 != 1) return std::nullopt;
  auto schema = message::parse_schema(base::as_bytes(lines.front()));
  if (!schema) return std::nullopt;
  StoredColumns out{std::move(schema->columns), {}};
  for (std::size_t i = 1; i < lines.size(); i += 2) out.restricted[lines[i]] = lines[i + 1];
  return out;
}

StoredColumns without(StoredColumns stored, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::erase_if(stored.columns, [&](const Column& column) { return base::same_column(column.name, name); });
    stored.restricted.erase(base::fold_identifier(name));
  }
  return stored;
}

std::vector<std::string> unknown_columns(std::string_view text, const std::vector<std::string>& written) {
  const auto stored = parse_stored_columns(text);
  std::vector<std::string> out;
  for (const auto& name : written)
    if (!stored || find_column(stored->columns, name) == nullptr) out.push_back(name);
  return out;
}

std::vector<ChangedColumn> changed_columns(const StoredColumns& before, const StoredColumns& now,
                                           const message::TableSchema* source, const Dialect& dialect) {
  std::vector<ChangedColumn> out;
  for (const auto& old : before.columns) {
    const auto* column = find_column(now.columns, old.name);
    if (column == nullptr) continue;
    const auto was = restriction_in(before, old);
    const auto is = restriction_in(now, *column);
    const auto described = [&](const Column& c, const std::string& restriction) {
      return (restriction.empty() ? dialect.type_name(c) : restriction) + (c.nullable ? "" : " NOT NULL");
    };
    auto text = fmt::format("{} became {}", described(old, was), described(*column, is));
    if (column->generated && !old.generated) {
      out.push_back({column->name, "it is computed by the destination", std::nullopt});
      continue;
    }
    const bool is_float = column->type == ColumnType::Float || column->type == ColumnType::Double;
    if (is_float && !is.empty() && is != was) {
      out.push_back({column->name, std::move(text), std::nullopt});
      continue;
    }
    if (!misfit(old, *column, false)) continue;
    const auto* at_source = source == nullptr ? nullptr : find_column(source->columns, old.name);
    if (at_source != nullptr && !misfit(*at_source, *column, false)) continue;
    out.push_back({column->name, std::move(text), suspects_of(old, *column, dialect)});
  }
  return out;
}

}  // namespace datasync::apply
