#pragma once
// Records for tests of `datasync tail`.

#include <string>

#include "agents/message/record.hpp"
#include "agents/message/row.hpp"

namespace datasync::cli {

inline message::TableSchema shop_schema() {
  message::Column id;
  id.name = "id";
  id.type = message::ColumnType::BigInt;
  id.is_unsigned = true;
  id.nullable = false;
  message::Column price;
  price.name = "price";
  price.type = message::ColumnType::Decimal;
  price.precision = 10;
  price.scale = 2;
  message::Column note;
  note.name = "note";
  note.type = message::ColumnType::VarChar;
  note.length = 40;
  note.charset = "utf8mb4";
  note.collation = "utf8mb4_general_ci";
  return {"shop", "orders", {id, price, note}, {0}};
}

inline void put_image(base::Buffer& out, std::uint64_t id, const char* price, const char* note) {
  message::ImageWriter image(out, 3);
  image.fixed(id);
  image.bytes(base::as_bytes(price));
  if (note == nullptr) {
    image.null();
  } else {
    image.bytes(base::as_bytes(note));
  }
}

/// 0-1-5: an insert of id 2^64-1, and an update from id 7 to 8.
inline std::string shop_change() {
  base::Buffer rows;
  rows.put(static_cast<std::uint8_t>(message::Op::Insert));
  put_image(rows, ~std::uint64_t{0}, "-1.50", nullptr);
  rows.put(static_cast<std::uint8_t>(message::Op::Update));
  put_image(rows, 7, "1.00", "a");
  put_image(rows, 8, "1.00", "b \"c\"");
  message::Change change;
  change.gtid = {0, 1, 5};
  change.commit_time_us = 1'767'323'045'000'006;
  change.last = true;
  change.tables.push_back({shop_schema().id(), 0, 2, 0, std::string(rows.text())});
  return message::encode(change);
}

}  // namespace datasync::cli
