#include "agents/message/schema.hpp"

#include <array>

#include <fmt/format.h>
#include <xxhash.h>

namespace datasync::message {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kMaxColumns = 4096;  // the limit of MariaDB
constexpr std::array<std::string_view, 28> kTypeNames{
    "",        "TinyInt", "SmallInt", "MediumInt", "Int",      "BigInt", "Float", "Double",   "Decimal",   "Char",
    "VarChar", "Text",    "Binary",   "VarBinary", "Blob",     "Date",   "Time",  "DateTime", "Timestamp", "Year",
    "Enum",    "Set",     "Bit",      "Json",      "Geometry", "Uuid",   "Inet4", "Inet6"};

enum Flag : std::uint8_t { kUnsigned = 1, kNullable = 2, kGenerated = 4 };

void put_text(base::Buffer& out, std::string_view text) {
  out.varint(text.size());
  out.append(text);
}

std::string get_text(base::Cursor& in) {
  return std::string(in.text(in.varint()));
}

void put_column(base::Buffer& out, const Column& c) {
  put_text(out, c.name);
  out.put(static_cast<std::uint8_t>(c.type));
  out.put(static_cast<std::uint8_t>((c.is_unsigned ? kUnsigned : 0) | (c.nullable ? kNullable : 0) |
                                    (c.generated ? kGenerated : 0)));
  out.varint(c.length);
  out.put(c.precision);
  out.put(c.scale);
  put_text(out, c.charset);
  put_text(out, c.collation);
  out.varint(c.labels.size());
  for (const auto& label : c.labels) put_text(out, label);
}

Column get_column(base::Cursor& in) {
  Column c;
  c.name = get_text(in);
  const auto type = in.get<std::uint8_t>();
  if (type == 0 || type >= kTypeNames.size()) in.fail();
  c.type = static_cast<ColumnType>(type);
  const auto flags = in.get<std::uint8_t>();
  c.is_unsigned = (flags & kUnsigned) != 0;
  c.nullable = (flags & kNullable) != 0;
  c.generated = (flags & kGenerated) != 0;
  c.length = in.varint();
  c.precision = in.get<std::uint8_t>();
  c.scale = in.get<std::uint8_t>();
  c.charset = get_text(in);
  c.collation = get_text(in);
  const auto labels = in.varint();
  for (std::uint64_t i = 0; i < labels && in.ok(); ++i) c.labels.push_back(get_text(in));
  return c;
}

}  // namespace

std::string serialize(const TableSchema& schema) {
  base::Buffer out(1024);
  out.put(kFormat);
  put_text(out, schema.database);
  put_text(out, schema.table);
  out.varint(schema.columns.size());
  for (const auto& c : schema.columns) put_column(out, c);
  out.varint(schema.key.size());
  for (const auto k : schema.key) out.varint(k);
  return std::string(out.text());
}

base::Result<TableSchema> parse_schema(base::Bytes bytes) {
  base::Cursor in(bytes);
  const auto bad = [](std::string_view what) {
    return base::Error(base::Reason::ForeignMessage, fmt::format("schema: {}", what));
  };
  if (const auto format = in.get<std::uint8_t>(); format != kFormat)
    return bad(fmt::format("format {} is not known", format));
  TableSchema s;
  s.database = get_text(in);
  s.table = get_text(in);
  const auto columns = in.varint();
  if (!in.ok() || columns == 0 || columns > kMaxColumns)
    return bad("damaged, or the number of columns is out of range");
  for (std::uint64_t i = 0; i < columns && in.ok(); ++i) s.columns.push_back(get_column(in));
  const auto keys = in.varint();
  for (std::uint64_t i = 0; i < keys && in.ok(); ++i) {
    const auto index = in.varint();
    if (index >= columns) return bad("a key column is out of range");
    s.key.push_back(static_cast<std::uint16_t>(index));
  }
  if (!in.ok() || !in.empty()) return bad("damaged");
  return s;
}

SchemaId TableSchema::id() const {
  const auto bytes = serialize(*this);
  return SchemaId(XXH3_64bits(bytes.data(), bytes.size()));
}

bool is_text(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
    case ColumnType::Json:
    case ColumnType::Enum:
    case ColumnType::Set:
      return true;
    default:
      return false;
  }
}

std::string_view to_string(ColumnType type) noexcept {
  const auto i = static_cast<std::size_t>(type);
  return i < kTypeNames.size() ? kTypeNames[i] : "";
}

}  // namespace datasync::message
