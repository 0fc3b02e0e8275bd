#include <array>

#include <fmt/format.h>

#include "agents/binlog/table_map.hpp"

namespace datasync::binlog {
namespace {

struct TypeName {
  WireType type;
  std::string_view name;
};
constexpr std::array kNames{
    TypeName{WireType::Decimal, "DECIMAL (before MySQL 5.0)"},
    TypeName{WireType::Tiny, "TINYINT"},
    TypeName{WireType::Short, "SMALLINT"},
    TypeName{WireType::Long, "INT"},
    TypeName{WireType::Float, "FLOAT"},
    TypeName{WireType::Double, "DOUBLE"},
    TypeName{WireType::Null, "NULL"},
    TypeName{WireType::Timestamp, "TIMESTAMP (mysql56_temporal_format=OFF)"},
    TypeName{WireType::LongLong, "BIGINT"},
    TypeName{WireType::Int24, "MEDIUMINT"},
    TypeName{WireType::Date, "DATE"},
    TypeName{WireType::Time, "TIME (mysql56_temporal_format=OFF)"},
    TypeName{WireType::DateTime, "DATETIME (mysql56_temporal_format=OFF)"},
    TypeName{WireType::Year, "YEAR"},
    TypeName{WireType::NewDate, "DATE"},
    TypeName{WireType::VarChar, "VARCHAR"},
    TypeName{WireType::Bit, "BIT"},
    TypeName{WireType::Timestamp2, "TIMESTAMP"},
    TypeName{WireType::DateTime2, "DATETIME"},
    TypeName{WireType::Time2, "TIME"},
    TypeName{WireType::BlobCompressed, "BLOB COMPRESSED"},
    TypeName{WireType::VarCharCompressed, "VARCHAR COMPRESSED"},
    TypeName{WireType::Json, "JSON (MySQL)"},
    TypeName{WireType::NewDecimal, "DECIMAL"},
    TypeName{WireType::Enum, "ENUM"},
    TypeName{WireType::Set, "SET"},
    TypeName{WireType::TinyBlob, "TINYBLOB"},
    TypeName{WireType::MediumBlob, "MEDIUMBLOB"},
    TypeName{WireType::LongBlob, "LONGBLOB"},
    TypeName{WireType::Blob, "BLOB"},
    TypeName{WireType::VarString, "VARCHAR"},
    TypeName{WireType::String, "CHAR"},
    TypeName{WireType::Geometry, "GEOMETRY"},
};

}  // namespace

std::string to_string(WireType type) {
  for (const auto& n : kNames) {
    if (n.type == type) return std::string(n.name);
  }
  return fmt::format("column type {}", static_cast<unsigned>(type));
}

}  // namespace datasync::binlog
