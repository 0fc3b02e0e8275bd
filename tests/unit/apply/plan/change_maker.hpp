#pragma once
// Rows of integer columns for tests of the planner.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/apply/read/row_buffer.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

/// One row: its columns, NULL or a number.
using TestRow = std::vector<std::optional<int>>;

inline message::TableSchema int_schema(const std::string& table, std::size_t columns) {
  message::TableSchema schema;
  schema.database = "d";
  schema.table = table;
  for (std::size_t i = 0; i < columns; ++i) {
    message::Column column;
    column.name = "c" + std::to_string(i);
    schema.columns.push_back(column);
  }
  schema.key = {0};
  return schema;
}

inline void put_image(base::Buffer& out, const TestRow& row) {
  message::ImageWriter image(out, row.size());
  for (const auto& value : row) {
    if (value) {
      image.fixed(static_cast<std::int32_t>(*value));
    } else {
      image.null();
    }
  }
}

inline std::string change_bytes(message::Op op, const TestRow* before, const TestRow* after) {
  base::Buffer out;
  out.put(static_cast<std::uint8_t>(op));
  if (before != nullptr) put_image(out, *before);
  if (after != nullptr) put_image(out, *after);
  return std::string(out.text());
}

inline TestRow row_at(const RowBuffer& buffer, ImageAt at, std::size_t columns) {
  TestRow row;
  for (std::size_t i = 0; i < columns; ++i) {
    const auto value = buffer.value(at, i);
    if (is_null(value)) {
      row.emplace_back();
    } else {
      row.emplace_back(base::Cursor(value).get<std::int32_t>());
    }
  }
  return row;
}

/// Collects changes of int tables into a RowBuffer.
class ChangeMaker {
 public:
  explicit ChangeMaker(std::vector<message::TableSchema> schemas) : schemas_(std::move(schemas)) {}
  void insert(TableIndex t, const TestRow& row) { add(t, message::Op::Insert, nullptr, &row); }
  void update(TableIndex t, const TestRow& before, const TestRow& after) {
    add(t, message::Op::Update, &before, &after);
  }
  void erase(TableIndex t, const TestRow& row) { add(t, message::Op::Delete, &row, nullptr); }
  void truncate(TableIndex t) { add(t, message::Op::Truncate, nullptr, nullptr); }
  [[nodiscard]] const RowBuffer& buffer() const { return buffer_; }
  [[nodiscard]] RowBuffer& buffer() { return buffer_; }
  [[nodiscard]] std::size_t columns(TableIndex t) const { return schemas_[t].columns.size(); }

 private:
  void add(TableIndex t, message::Op op, const TestRow* before, const TestRow* after) {
    const auto done = buffer_.append(t, schemas_[t], change_bytes(op, before, after));
    if (!done) throw std::runtime_error(done.error().what);
  }
  std::vector<message::TableSchema> schemas_;
  RowBuffer buffer_;
};

}  // namespace datasync::apply
