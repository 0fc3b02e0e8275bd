#include "agents/apply/plan/table_compatibility.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace datasync::apply {
namespace {

using message::Column;
using message::ColumnType;

bool is_string(ColumnType t) {
  return t == ColumnType::Char || t == ColumnType::VarChar || t == ColumnType::Text || t == ColumnType::Json;
}

std::string_view charset_name(std::string_view name) {
  return name == "utf8" ? "utf8mb3" : name;
}

bool integer_fits(const Column& s, const Column& d) {
  if (s.is_unsigned == d.is_unsigned) return d.type >= s.type;
  return s.is_unsigned && d.type > s.type;
}

bool decimal_fits(const Column& s, const Column& d) {
  return d.scale >= s.scale && d.precision - d.scale >= s.precision - s.scale && (!d.is_unsigned || s.is_unsigned);
}

/// Characters that always fit, or that may come at most.
std::uint64_t characters(const Column& c) {
  const bool by_bytes = c.type == ColumnType::Text || c.type == ColumnType::Json;
  return by_bytes ? c.length : c.length / bytes_per_character(c.charset);
}

bool string_fits(const Column& s, const Column& d) {
  const auto from = charset_name(s.charset);
  const auto to = charset_name(d.charset);
  if (from != to && !(from == "utf8mb3" && to == "utf8mb4")) return false;
  if (s.type == ColumnType::Json || d.type == ColumnType::Json)
    return d.type == ColumnType::Json || (d.type == ColumnType::Text && d.length >= UINT32_MAX);
  if (d.type == ColumnType::Text) return d.length >= s.length;
  // CHAR takes trailing spaces off what it stores, VARCHAR and TEXT keep them.
  if (d.type == ColumnType::Char && s.type != ColumnType::Char) return false;
  return characters(d) >= characters(s);
}

bool bytes_fit(const Column& s, const Column& d) {
  if (d.type == ColumnType::Binary) return s.type == ColumnType::Binary && s.length == d.length;
  return d.length >= s.length;
}

bool labels_fit(const Column& s, const Column& d) {
  return d.type == s.type && d.labels.size() >= s.labels.size() &&
         std::equal(s.labels.begin(), s.labels.end(), d.labels.begin());
}

bool type_fits(const Column& s, const Column& d) {
  if (is_integer(s.type)) return is_integer(d.type) && integer_fits(s, d);
  if (is_string(s.type)) return is_string(d.type) && string_fits(s, d);
  if (is_bytes(s.type)) return is_bytes(d.type) && bytes_fit(s, d);
  switch (s.type) {
    case ColumnType::Float:
      return (d.type == ColumnType::Float || d.type == ColumnType::Double) && (!d.is_unsigned || s.is_unsigned);
    case ColumnType::Double:
      return d.type == s.type && (!d.is_unsigned || s.is_unsigned);
    case ColumnType::Decimal:
      return d.type == s.type && decimal_fits(s, d);
    case ColumnType::Time:
    case ColumnType::DateTime:
    case ColumnType::Timestamp:
      return d.type == s.type && d.scale >= s.scale;
    case ColumnType::Bit:
      return d.type == s.type && d.length >= s.length;
    case ColumnType::Enum:
    case ColumnType::Set:
      return labels_fit(s, d);
    default:
      return d.type == s.type;
  }
}

bool is_wide(std::string_view charset) {
  return charset == "ucs2" || charset == "utf32" || charset.starts_with("utf16");
}

bool in_key(const std::vector<std::uint16_t>& key, std::size_t i) {
  return std::ranges::find(key, static_cast<std::uint16_t>(i)) != key.end();
}

/// The destination's key in columns of the source; nothing when one of them is not a plain column of both.
std::optional<UniqueKey> translate(const message::TableSchema& source, const TableInfo& destination,
                                   const std::vector<std::uint16_t>& key, std::string& why) {
  UniqueKey out;
  for (const auto index : key) {
    const Column& column = destination.schema.columns[index];
    const Column* at = find_column(source.columns, column.name);
    bool pads = false;
    if (at == nullptr || column.generated) {
      why = fmt::format("a unique key has the column {}, which the source does not give", column.name);
      return std::nullopt;
    }
    if (!compares_bytes(column, pads)) {
      why = fmt::format("a unique key has the column {}, where different bytes may be equal", column.name);
      return std::nullopt;
    }
    out.columns.push_back(static_cast<std::uint16_t>(at - source.columns.data()));
    out.pads.push_back(pads ? 1 : 0);
  }
  return out;
}

/// The two keys are of the same columns, in whatever order.
bool same_columns(const message::TableSchema& a, const std::vector<std::uint16_t>& of_a, const message::TableSchema& b,
                  const std::vector<std::uint16_t>& of_b) {
  const auto names = [](const message::TableSchema& schema, const std::vector<std::uint16_t>& key) {
    std::set<std::string> out;
    for (const auto index : key) out.insert(base::fold_identifier(schema.columns[index].name));
    return out;
  };
  return names(a, of_a) == names(b, of_b);
}

bool pads_spaces(std::string_view collation) {
  return collation.find("_nopad_") == std::string_view::npos;
}

bool is_text_key(const Column& s, const Column& d) {
  return is_string(s.type) && is_string(d.type);
}

/// The source's type as a whole; a column that takes NULL stays one that does.
Column of_source(const Column& s, const Column& d) {
  Column out = s;
  out.name = d.name;
  out.nullable = s.nullable || d.nullable;
  return out;
}

/// The source's type with what the destination has of its own: a larger character set, a collation, NULL.
Column widened(const Column& s, const Column& d) {
  Column out = of_source(s, d);
  const bool larger = charset_name(s.charset) == "utf8mb3" && charset_name(d.charset) == "utf8mb4";
  if (is_string(s.type) && is_string(d.type) && (larger || charset_name(s.charset) == charset_name(d.charset))) {
    if (s.type == ColumnType::Char || s.type == ColumnType::VarChar)
      out.length = s.length / bytes_per_character(s.charset) * bytes_per_character(d.charset);
    out.charset = d.charset;
    out.collation = d.collation;
  }
  return out;
}

std::string described(const Dialect& dialect, const Column& s, const Column& d, std::string_view why) {
  return fmt::format("column {} ({}{} at the destination, {}{} at the source) {}", d.name, dialect.type_name(d),
                     d.nullable ? "" : " NOT NULL", dialect.type_name(s), s.nullable ? "" : " NOT NULL", why);
}

bool is_float(ColumnType type) {
  return type == ColumnType::Float || type == ColumnType::Double;
}

/// `restriction`: of DestinationFacts::restricted, or empty.
void fit_column(const message::TableSchema& source, std::uint16_t i, const Column& d, const Dialect& dialect,
                const std::string& restriction, Fit& out) {
  const Column& s = source.columns[i];
  if (d.generated) {
    // What both sides compute is not stored. A value that only the destination computes is not the source's.
    if (!s.generated)
      out.narrow.push_back({i, widened(s, d), false, described(dialect, s, d, "is computed by the destination"), true});
    return;
  }
  out.written.push_back(i);
  const auto why = misfit(s, d, in_key(source.key, i));
  // With the source's own type the table was probably made from the source's definition, digits included.
  if (!why && is_float(d.type) && d.type != s.type && !restriction.empty()) {
    Column bare = d;
    bare.nullable = s.nullable || d.nullable;
    out.narrow.push_back(
        {i, std::move(bare), true,
         fmt::format("column {} ({} at the destination, {} at the source) may round the source's values", d.name,
                     restriction, dialect.type_name(s))});
    return;
  }
  if (!why) return;
  Column wanted = widened(s, d);
  auto text = described(dialect, s, d, *why);
  // Rows that are stored now may have equal keys by the collation of the source.
  const bool compares = !misfit(s, wanted, in_key(source.key, i)).has_value();
  if (!compares) wanted = of_source(s, d);
  out.narrow.push_back({i, wanted, compares && !misfit(d, wanted, false), std::move(text)});
}

}  // namespace

bool is_integer(ColumnType t) noexcept {
  return t >= ColumnType::TinyInt && t <= ColumnType::BigInt;
}

bool is_bytes(ColumnType t) noexcept {
  return t == ColumnType::Binary || t == ColumnType::VarBinary || t == ColumnType::Blob;
}

const Column* find_column(const std::vector<Column>& columns, std::string_view name) {
  const auto at = std::ranges::find_if(columns, [&](const Column& c) { return base::same_column(c.name, name); });
  return at == columns.end() ? nullptr : &*at;
}

bool compares_bytes(const Column& column, bool& pads) {
  pads = false;
  if (column.type == ColumnType::Float || column.type == ColumnType::Double) return false;  // 0.0 and -0.0
  if (!is_string(column.type)) return true;
  if (!column.collation.ends_with("_bin")) return false;
  pads = pads_spaces(column.collation);
  return !is_wide(column.charset);
}

std::optional<std::string> misfit(const Column& s, const Column& d, bool is_key) {
  if (!type_fits(s, d)) return "is too narrow or of another kind";
  if (s.nullable && !d.nullable) return "does not take NULL";
  if (is_key && is_string(s.type) && s.collation != d.collation && !d.collation.ends_with("_bin"))
    return "is part of a key and compares differently";
  if (is_key && is_text_key(s, d) && !pads_spaces(s.collation) && pads_spaces(d.collation))
    return "is part of a key and does not see the spaces at the end of a value, as the source does";
  return std::nullopt;
}

Fit fit(const message::TableSchema& source, const TableInfo& destination, const Dialect& dialect,
        const std::vector<std::string>& required_extra, const std::map<std::string, std::string>& restricted) {
  Fit out;
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    const Column* d = find_column(destination.schema.columns, source.columns[i].name);
    out.there.push_back(d == nullptr ? source.columns[i] : *d);
    if (d == nullptr) {
      out.missing.push_back(static_cast<std::uint16_t>(i));
    } else {
      const auto at = restricted.find(base::fold_identifier(d->name));
      fit_column(source, static_cast<std::uint16_t>(i), *d, dialect, at == restricted.end() ? "" : at->second, out);
    }
  }
  for (const auto& name : required_extra) {
    if (find_column(source.columns, name) == nullptr) out.unfilled.push_back(name);
  }
  return out;
}

PlanTable plan_table(const message::TableSchema& source, const TableInfo& destination, const base::TableNames& names,
                     std::string& why) {
  PlanTable out;
  out.name = names.key(destination.schema.database, destination.schema.table);
  out.key = {source.key, std::vector<char>(source.key.size(), 0)};
  bool unique = false;
  const auto add = [&](const std::vector<std::uint16_t>& key) {
    const bool identity = same_columns(source, source.key, destination.schema, key);
    unique = unique || identity;
    auto translated = translate(source, destination, key, why);
    if (!translated) return;
    if (identity) {
      out.key = *translated;
    } else {
      out.unique_keys.push_back(std::move(*translated));
    }
  };
  if (!destination.schema.key.empty()) add(destination.schema.key);
  for (const auto& key : destination.unique_keys) add(key);
  for (const auto& key : destination.foreign_keys) {
    out.parents.push_back(names.key(key.parent_database, key.parent_table));
    if (key.acts()) why = fmt::format("by the foreign key {} the server changes rows", key.name);
  }
  const bool null_key = std::ranges::any_of(source.key, [&](auto i) { return source.columns[i].nullable; });
  if (destination.unique_by_prefix) why = "a unique key covers only the front of a value";
  out.repeats = !unique || null_key;
  if (why.empty() && out.repeats) why = "no unique key of the destination has just the key columns";
  out.ordered = !why.empty();
  return out;
}

}  // namespace datasync::apply
