// Values of records and schemas from a topic: whatever the bytes, decoding ends with a record or an error, what decodes
// encodes again to the same record, and rows stay inside their bytes. Input: a byte that chooses the record, the value.

#include <cstdint>
#include <cstdlib>

#include "agents/message/record.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace {

using namespace datasync::message;
using datasync::base::Bytes;

template <class T>
void round_trip(Bytes value) {
  const auto record = decode<T>(value);
  if (!record) return;
  const auto bytes = encode(*record);
  const auto again = decode<T>(datasync::base::as_bytes(bytes));
  if (!again || encode(*again) != bytes) std::abort();
}

void schema(Bytes value) {
  const auto parsed = parse_schema(value);
  if (!parsed) return;
  if (parse_schema(datasync::base::as_bytes(serialize(*parsed))).value().id() != parsed->id()) std::abort();
}

/// A fixed table of many types, the rows from the input.
void rows(Bytes value) {
  TableSchema table{.database = "d", .table = "t", .columns = {}, .key = {0}};
  for (int type = 1; type <= static_cast<int>(ColumnType::Inet6); ++type)
    table.columns.push_back(
        {.name = "c", .type = static_cast<ColumnType>(type), .charset = "utf8mb4", .labels = {"a", "b"}});
  RowReader reader(table, value);
  RowView row;
  while (true) {
    const auto more = reader.next(row);
    if (!more || !*more) return;
    if (row.op == Op::Insert || row.op == Op::Update) (void)display_image(table, row.after);
    if (row.op == Op::Delete || row.op == Op::Update) (void)display_image(table, row.before);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  datasync::base::Cursor in(Bytes(reinterpret_cast<const std::byte*>(data), size));
  const auto which = in.get<std::uint8_t>() % 11;
  const auto value = in.rest();
  switch (which) {
    case 0:
      round_trip<Change>(value);
      break;
    case 1:
      round_trip<SchemaNote>(value);
      break;
    case 2:
      round_trip<Snapshot>(value);
      break;
    case 3:
      round_trip<Watermark>(value);
      break;
    case 4:
      round_trip<Start>(value);
      break;
    case 5:
      round_trip<Verify>(value);
      break;
    case 6:
      round_trip<Claim>(value);
      break;
    case 7:
      round_trip<Checkpoint>(value);
      break;
    case 8:
      round_trip<SnapshotProgress>(value);
      break;
    case 9:
      schema(value);
      break;
    default:
      rows(value);
      break;
  }
  return 0;
}
