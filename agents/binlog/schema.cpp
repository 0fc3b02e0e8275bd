#include "agents/binlog/schema.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"

namespace datasync::binlog {
namespace {

using base::Error;
using base::Reason;
using message::Column;
using message::ColumnType;

using base::same_column;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const auto& n) { return same_column(n, name); });
}

bool is_old_temporal(WireType type) noexcept {
  return type == WireType::Time || type == WireType::DateTime || type == WireType::Timestamp;
}

/// Creates one column; it keeps what its error messages need.
class ColumnMaker {
 public:
  ColumnMaker(const TableMap& map, const SchemaOptions& options) : map_(map), options_(options) {}

  base::Result<Column> make(const WireColumn& wire, const Refinement* refinement) {
    wire_ = &wire;
    refinement_ = refinement;
    out_ = Column{};
    out_.name = wire.name;
    out_.nullable = wire.nullable;
    out_.generated = refinement != nullptr && refinement->generated;
    if (refinement != nullptr && refinement->type) {
      DS_TRY(refined(*refinement->type));
    } else {
      DS_TRY(plain());
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] Error error(Reason reason, std::string_view what) const {
    return {reason, fmt::format("column {} of {} {}", wire_->name, map_.qualified(), what)};
  }

  base::Result<void> refined(ColumnType type) {
    const std::uint32_t bytes = type == ColumnType::Inet4 ? 4 : 16;
    const bool known = type == ColumnType::Uuid || type == ColumnType::Inet4 || type == ColumnType::Inet6;
    if (!known || wire_->type != WireType::String || wire_->length != bytes)
      return error(Reason::SchemaUnknown, fmt::format("is {} in the binlog, which does not fit {}",
                                                      to_string(wire_->type), message::to_string(type)));
    out_.type = type;
    return {};
  }

  base::Result<void> plain() {
    switch (wire_->type) {
      case WireType::Tiny:
        return number(ColumnType::TinyInt);
      case WireType::Short:
        return number(ColumnType::SmallInt);
      case WireType::Int24:
        return number(ColumnType::MediumInt);
      case WireType::Long:
        return number(ColumnType::Int);
      case WireType::LongLong:
        return number(ColumnType::BigInt);
      case WireType::Float:
        return number(ColumnType::Float);
      case WireType::Double:
        return number(ColumnType::Double);
      case WireType::NewDecimal:
        out_.precision = static_cast<std::uint8_t>(wire_->length);
        out_.scale = wire_->scale;
        if (wire_->length == 0 || wire_->length > 65 || wire_->scale > 38 || wire_->scale > wire_->length)
          return error(Reason::BinlogCorrupt, "is a DECIMAL of impossible size");
        return number(ColumnType::Decimal);
      case WireType::Bit:
        if (wire_->length == 0 || wire_->length > 64)
          return error(Reason::BinlogCorrupt, "is a BIT of impossible size");
        out_.type = ColumnType::Bit;
        out_.length = wire_->length;
        return {};
      case WireType::Year:
        out_.type = ColumnType::Year;
        return {};
      case WireType::Date:
      case WireType::NewDate:
        out_.type = ColumnType::Date;
        return {};
      case WireType::Time2:
      case WireType::Time:
        return temporal(ColumnType::Time);
      case WireType::DateTime2:
      case WireType::DateTime:
        return temporal(ColumnType::DateTime);
      case WireType::Timestamp2:
      case WireType::Timestamp:
        return temporal(ColumnType::Timestamp);
      default:
        return of_bytes();
    }
  }

  base::Result<void> of_bytes() {
    switch (wire_->type) {
      case WireType::String:
        return text_or_bytes(ColumnType::Char, ColumnType::Binary, wire_->length);
      case WireType::VarChar:
      case WireType::VarString:
        return text_or_bytes(ColumnType::VarChar, ColumnType::VarBinary, wire_->length);
      case WireType::VarCharCompressed:  // includes one byte for the compression header
        return text_or_bytes(ColumnType::VarChar, ColumnType::VarBinary, wire_->length - (wire_->length > 0 ? 1U : 0U));
      case WireType::TinyBlob:
      case WireType::MediumBlob:
      case WireType::LongBlob:
      case WireType::Blob:
      case WireType::BlobCompressed:
        if (wire_->length == 0 || wire_->length > 4)
          return error(Reason::BinlogCorrupt, "is a BLOB of impossible size");
        return text_or_bytes(ColumnType::Text, ColumnType::Blob, (std::uint64_t{1} << (8U * wire_->length)) - 1);
      case WireType::Geometry:
        if (wire_->length == 0 || wire_->length > 4)
          return error(Reason::BinlogCorrupt, "is a GEOMETRY of impossible size");
        out_.type = ColumnType::Geometry;
        return {};
      case WireType::Enum:
        return labelled(ColumnType::Enum);
      case WireType::Set:
        return labelled(ColumnType::Set);
      default:
        return error(Reason::UnsupportedType, fmt::format("has the type {}", to_string(wire_->type)));
    }
  }

  base::Result<void> number(ColumnType type) {
    out_.type = type;
    out_.is_unsigned = wire_->is_unsigned;
    return {};
  }

  base::Result<void> temporal(ColumnType type) {
    out_.type = type;
    out_.scale = wire_->scale;
    if (is_old_temporal(wire_->type)) {
      // The width in the row image depends on the fractional digits, which the table map does not contain. A guess
      // would misread every later column.
      if (refinement_ == nullptr || !refinement_->fractional_digits)
        return error(Reason::UnsupportedType, fmt::format("has the type {}: ALTER TABLE {} FORCE with "
                                                          "mysql56_temporal_format=ON converts it",
                                                          to_string(wire_->type), map_.qualified()));
      out_.scale = *refinement_->fractional_digits;
    }
    if (out_.scale > 6) return error(Reason::BinlogCorrupt, "has more than six fractional digits");
    return {};
  }

  base::Result<void> charset() {
    if (wire_->collation == 0) return error(Reason::MetadataMissing, "has no character set in the table map");
    auto found = options_.collation_of ? options_.collation_of(wire_->collation) : std::nullopt;
    if (!found)
      return error(Reason::SchemaUnknown,
                   fmt::format("has collation {}, which the server does not list", wire_->collation));
    out_.charset = std::move(found->charset);
    out_.collation = std::move(found->name);
    return {};
  }

  base::Result<void> text_or_bytes(ColumnType text, ColumnType bytes, std::uint64_t length) {
    constexpr std::uint32_t kBinary = 63;  // the collation of binary data
    out_.length = length;
    out_.type = wire_->collation == kBinary ? bytes : text;
    if (wire_->collation == kBinary) return {};
    return charset();
  }

  base::Result<void> labelled(ColumnType type) {
    out_.type = type;
    DS_TRY(charset());
    const std::size_t most = type == ColumnType::Set ? 64 : 65535;
    const std::uint32_t widest = type == ColumnType::Set ? 8 : 2;
    if (wire_->labels.empty()) return error(Reason::MetadataMissing, "has no labels in the table map");
    if (wire_->labels.size() > most || wire_->length == 0 || wire_->length > widest)
      return error(Reason::BinlogCorrupt, "has more labels than its type can hold");
    for (const auto& label : wire_->labels) {
      auto text = to_utf8(out_.charset, label, options_.to_utf8);
      if (!text)
        return error(Reason::UnsupportedType,
                     fmt::format("has a label that cannot be converted to UTF-8 (character set {})", out_.charset));
      out_.labels.push_back(std::move(*text));
    }
    return {};
  }

  const TableMap& map_;
  const SchemaOptions& options_;
  const WireColumn* wire_ = nullptr;
  const Refinement* refinement_ = nullptr;
  Column out_;
};

base::Result<std::vector<std::uint16_t>> key_columns(const TableMap& map, const SchemaOptions& options) {
  if (!map.primary_key.empty()) return map.primary_key;
  if (options.declared_key.empty())
    return Error(Reason::KeyMissing,
                 fmt::format("{} has no primary key and no key columns are declared", map.qualified()));
  std::vector<std::uint16_t> out;
  for (const auto& name : options.declared_key) {
    const auto at = std::find_if(map.columns.begin(), map.columns.end(),
                                 [&](const WireColumn& c) { return same_column(c.name, name); });
    if (at == map.columns.end())
      return Error(Reason::KeyMissing, fmt::format("{} has no column {}, declared as key", map.qualified(), name));
    out.push_back(static_cast<std::uint16_t>(at - map.columns.begin()));
  }
  return out;
}

std::vector<const Refinement*> by_column(const TableMap& map, const SchemaOptions& options) {
  std::vector<const Refinement*> out(map.columns.size(), nullptr);
  for (const auto& r : options.refinements) {
    if (r.column < out.size()) out[r.column] = &r;
  }
  return out;
}

std::uint8_t refined_scale(const WireColumn& wire, const Refinement* refinement) noexcept {
  return is_old_temporal(wire.type) && refinement != nullptr ? refinement->fractional_digits.value_or(0) : wire.scale;
}

}  // namespace

bool named_as_hidden(const WireColumn& column) noexcept {
  constexpr std::string_view kPrefix = "DB_ROW_HASH_";
  const std::string_view name = column.name;
  return column.type == WireType::LongLong && name.starts_with(kPrefix) && name.size() > kPrefix.size() &&
         std::ranges::all_of(name.substr(kPrefix.size()), [](char c) { return c >= '0' && c <= '9'; });
}

base::Result<TableLayout> schema_of(const TableMap& map, const SchemaOptions& options) {
  if (!map.has_names)
    return Error(
        Reason::MetadataMissing,
        fmt::format("the table map of {} has no column names: SET GLOBAL binlog_row_metadata=FULL", map.qualified()));
  TableLayout out;
  out.schema.database = map.database;
  out.schema.table = map.table;
  const auto refinements = by_column(map, options);
  ColumnMaker maker(map, options);
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto& wire = map.columns[i];
    PlacedColumn placed{.type = wire.type, .length = wire.length, .scale = refined_scale(wire, refinements[i])};
    const bool hidden = refinements[i] != nullptr && refinements[i]->hidden;
    const bool excluded = hidden || contains(options.excluded, wire.name);
    // An excluded column is only skipped, so its type may be unsupported; the old temporal types need their fractional
    // digits even to be skipped.
    if (!excluded || is_old_temporal(wire.type)) {
      DS_ASSIGN(auto column, maker.make(wire, refinements[i]));
      if (!excluded) {
        placed.place = static_cast<std::uint16_t>(out.schema.columns.size());
        out.schema.columns.push_back(std::move(column));
      }
    }
    out.columns.push_back(placed);
  }
  for (const auto& name : options.excluded) {
    const bool there =
        std::any_of(map.columns.begin(), map.columns.end(), [&](const auto& c) { return same_column(c.name, name); });
    if (!there) out.missing_exclusions.push_back(name);
  }
  DS_ASSIGN(const auto key, key_columns(map, options));
  for (const auto column : key) {
    const auto place = out.columns[column].place;
    if (!place)
      return Error(Reason::KeyMissing, fmt::format("column {} of {} is in the key and excluded",
                                                   map.columns[column].name, map.qualified()));
    out.schema.key.push_back(*place);
  }
  return out;
}

}  // namespace datasync::binlog
