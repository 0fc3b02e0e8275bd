#include "tests/integration/agree_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "agents/capture/snapshot/chunk_reader.hpp"
#include "agents/source/mariadb/source.hpp"
#include "tests/support/compare.hpp"
#include "tests/unit/capture/nothing_kept.hpp"

namespace datasync::test {
namespace {

using base::Bytes;
using message::ColumnType;

template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return std::move(*result);
}

std::string hex(Bytes bytes) {
  std::string out;
  for (const auto b : bytes) fmt::format_to(std::back_inserter(out), "{:02X}", std::to_integer<unsigned>(b));
  return out;
}

std::string fraction(std::uint32_t micros, unsigned digits) {
  return digits == 0 ? "" : "." + fmt::format("{:06}", micros).substr(0, digits);
}

std::string datetime(const message::DateTimeParts& p, unsigned digits) {
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     fraction(p.microsecond, digits));
}

std::string address(int family, Bytes value) {
  char text[INET6_ADDRSTRLEN] = {};
  return inet_ntop(family, value.data(), text, sizeof text) != nullptr ? text : "?";
}

std::string uuid(Bytes value) {
  auto text = hex(value);
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

std::string integer(const message::Column& column, Bytes value) {
  const auto bits = base::Cursor(value).fixed(value.size());
  if (column.is_unsigned) return fmt::format("{}", bits);
  const unsigned unused = 64U - 8U * static_cast<unsigned>(value.size());
  return fmt::format("{}", static_cast<std::int64_t>(bits << unused) >> unused);
}

}  // namespace

std::string image_text(const message::Column& column, Bytes value) {
  base::Cursor in(value);
  switch (column.type) {
    case ColumnType::TinyInt:
    case ColumnType::SmallInt:
    case ColumnType::MediumInt:
    case ColumnType::Int:
    case ColumnType::BigInt:
      return integer(column, value);
    case ColumnType::Float:
    case ColumnType::Double: {
      const auto real = column.type == ColumnType::Float ? static_cast<double>(in.get<float>()) : in.get<double>();
      return hex(std::as_bytes(std::span(&real, 1)));
    }
    case ColumnType::Decimal:
      return std::string(base::as_text(value));
    case ColumnType::Date:
      return datetime(message::unpack_date(in.get<std::uint32_t>()), 0).substr(0, 10);
    case ColumnType::DateTime:
      return datetime(message::unpack_datetime(in.get<std::uint64_t>()), column.scale);
    case ColumnType::Timestamp: {
      const auto micros = in.get<std::int64_t>();
      return fmt::format("{}{}", micros / 1000000,
                         fraction(static_cast<std::uint32_t>(micros % 1000000), column.scale));
    }
    case ColumnType::Time: {
      const auto signed_micros = in.get<std::int64_t>();
      const auto m = static_cast<std::uint64_t>(signed_micros < 0 ? -signed_micros : signed_micros);
      const auto s = m / 1000000;
      return fmt::format("{}{:02}:{:02}:{:02}{}", signed_micros < 0 ? "-" : "", s / 3600, s / 60 % 60, s % 60,
                         fraction(static_cast<std::uint32_t>(m % 1000000), column.scale));
    }
    case ColumnType::Year:
    case ColumnType::Enum:
    case ColumnType::Set:
    case ColumnType::Bit:
      return fmt::format("{}", in.fixed(value.size()));
    case ColumnType::Uuid:
      return uuid(value);
    case ColumnType::Inet4:
      return address(AF_INET, value);
    case ColumnType::Inet6:
      return address(AF_INET6, value);
    default:
      return hex(value);
  }
}

std::string server_expression(const message::Column& column) {
  const auto name = quote_name(column.name);
  switch (column.type) {
    case ColumnType::TinyInt:
    case ColumnType::SmallInt:
    case ColumnType::MediumInt:
    case ColumnType::Int:
    case ColumnType::BigInt:
    case ColumnType::Decimal:  // without the zeros of ZEROFILL
      return fmt::format("REGEXP_REPLACE(CAST({} AS CHAR), '^(-?)0+(?=[0-9])', '\\1')", name);
    case ColumnType::Float:
    case ColumnType::Double:
      return fmt::format("SUBSTR(HEX(POINT({}, 0)), 19, 16)", name);
    case ColumnType::Timestamp:  // the zero timestamp has no number
      return fmt::format("CAST(COALESCE(UNIX_TIMESTAMP({0}), 0) AS CHAR)", name);
    case ColumnType::Year:  // the server reads YEAR(2) by this rule
      return fmt::format("IF(LENGTH({0}) = 2, {0} + IF({0} < 70, 2000, 1900), {0} + 0)", name);
    case ColumnType::Set:
      return fmt::format("CAST({} | 0 AS CHAR)", name);
    case ColumnType::Enum:
    case ColumnType::Bit:
      return fmt::format("CAST({} + 0 AS CHAR)", name);
    case ColumnType::Date:
    case ColumnType::DateTime:
    case ColumnType::Time:
    case ColumnType::Uuid:
    case ColumnType::Inet4:
    case ColumnType::Inet6:
      return fmt::format("CAST({} AS CHAR)", name);
    default:
      return fmt::format("HEX({})", name);
  }
}

AgreeReader::AgreeReader(const capture::Selection& selection, sql::ConnectOptions server)
    : selection_(selection),
      server_(std::move(server)),
      catalog_(
          selection_, {.allow_primary = true}, [this] { return source::mariadb::connect(server_); },
          [](const message::TableSchema&) { return base::Result<void>(); }, capture::nothing_kept()) {}

void AgreeReader::read(const std::string& position, const std::string& up_to) {
  const auto stream = must(sql::BinlogStream::open(
      server_, {.position = position, .server_id = 7999, .watchdog = std::chrono::seconds(60)}));
  binlog::EventReader reader(*this);
  over_.clear();
  while (over_ != up_to) {
    auto fed = reader.feed(must(stream->next()));
    if (!fed) throw std::runtime_error(fed.error().what);
  }
}

base::Result<binlog::TableToken> AgreeReader::on_table(const binlog::TableMap& map, const binlog::Where&) {
  const auto* choice = selection_.find(map.database, map.table);
  DS_ASSIGN(const auto added, catalog_.add(*choice, map));
  schemas_[choice->qualified()] = catalog_.table(added.number).encoder.schema();
  return added.number;
}

base::Result<void> AgreeReader::on_rows(binlog::TableToken token, const binlog::RowsEvent& rows) {
  auto& table = catalog_.table(token);
  const auto& schema = table.encoder.schema();
  auto& images = tables_[table.choice->qualified()];
  DS_ASSIGN(auto cursor, table.encoder.open(rows));
  base::Buffer out;
  DS_TRY(cursor.fill(out, ~std::size_t{0}));
  left_out_ += cursor.left_out();
  message::RowReader reader(schema, out.bytes());
  message::RowView row;
  while (true) {
    DS_ASSIGN(const bool more, reader.next(row));
    if (!more) return {};
    if (row.op != message::Op::Insert) {
      DS_ASSIGN(const auto key, capture::key_of(schema, row.before.raw));
      if (images[key] != base::as_text(row.before.raw))
        broken_.push_back("a before image of " + schema.qualified() + " is not the row's image before");
      images.erase(key);
    }
    if (row.op == message::Op::Delete) continue;
    DS_ASSIGN(const auto key, capture::key_of(schema, row.after.raw));
    images[key] = base::as_text(row.after.raw);
  }
}

}  // namespace datasync::test
