// A table map and row images, both from the input: whatever the schema, encoding stays inside its bytes, and what it
// wrote reads back. Input: u16 length of the table map's body, the body, an op byte, row images.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "agents/binlog/row_encoder.hpp"
#include "tests/unit/binlog/binlog_file.hpp"

namespace {

using datasync::base::Buffer;
using datasync::base::Bytes;
using datasync::message::Op;
namespace binlog = datasync::binlog;

binlog::SchemaOptions options(const binlog::TableMap& map) {
  auto out = binlog::test::options();
  for (std::uint16_t i = 0; i < map.columns.size(); ++i)
    out.refinements.push_back({.column = i, .fractional_digits = static_cast<std::uint8_t>(i % 7)});
  if (map.columns.size() > 2) out.excluded = {map.columns[1].name};
  out.declared_key = {map.columns[0].name};
  return out;
}

void encode(binlog::RowEncoder& encoder, Op op, Bytes rows) {
  const auto columns = encoder.layout().columns.size();
  const std::string present((columns + 7) / 8, '\xff');
  const auto bitmap = datasync::base::as_bytes(present);
  const binlog::RowsEvent event{
      .op = op, .columns = columns, .present_before = bitmap, .present_after = bitmap, .rows = rows};
  auto cursor = encoder.open(event);
  if (!cursor) std::abort();
  Buffer out;
  (void)cursor->fill(out, std::size_t{1} << 24U);
  datasync::message::RowReader reader(encoder.schema(), out.bytes());
  datasync::message::RowView row;
  while (true) {
    const auto more = reader.next(row);
    if (!more) std::abort();
    if (!*more) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  datasync::base::Cursor in(Bytes(reinterpret_cast<const std::byte*>(data), size));
  const auto body = in.take(in.get<std::uint16_t>());
  const auto op = static_cast<Op>(1 + in.get<std::uint8_t>() % 3);
  if (!in.ok()) return 0;
  const auto map = binlog::parse_table_map(body, {});
  if (!map) return 0;
  auto encoder = binlog::RowEncoder::make(*map, options(*map));
  if (encoder) encode(*encoder, op, in.rest());
  return 0;
}
