#include "agents/apply/read/row_buffer.hpp"

#include <algorithm>

namespace datasync::apply {

ImageAt RowBuffer::put(const message::ImageView& image) {
  const auto at = static_cast<ImageAt>(values_.size());
  values_.insert(values_.end(), image.values.begin(), image.values.end());
  return at;
}

base::Result<void> RowBuffer::append(TableIndex table, const message::TableSchema& schema, std::string rows) {
  Held& held = held_.emplace_back(Held{std::move(rows), 0});
  bytes_ += held.bytes.size();
  message::RowReader reader(schema, base::as_bytes(held.bytes));
  while (true) {
    DS_ASSIGN(const bool more, reader.next(scratch_));
    if (!more) break;
    RowChange row{table, scratch_.op, kNoImage, kNoImage};
    if (row.op == message::Op::Update || row.op == message::Op::Delete) row.before = put(scratch_.before);
    if (row.op == message::Op::Update || row.op == message::Op::Insert) row.after = put(scratch_.after);
    rows_.push_back(row);
  }
  held.end_row = rows_.size();
  return {};
}

void RowBuffer::clear() noexcept {
  held_.clear();
  rows_.clear();
  values_.clear();
  bytes_ = 0;
}

void RowBuffer::drop_front(std::size_t count) {
  if (count >= rows_.size()) return clear();
  if (count == 0) return;
  // Truncate has no image; the next row that has one tells where the kept values begin.
  ImageAt from = static_cast<ImageAt>(values_.size());
  for (auto row = rows_.begin() + static_cast<std::ptrdiff_t>(count); row != rows_.end(); ++row) {
    from = std::min(row->before, row->after);
    if (from != kNoImage) break;
  }
  if (from == kNoImage) from = static_cast<ImageAt>(values_.size());
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(count));
  values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(from));
  for (auto& row : rows_) {
    if (row.before != kNoImage) row.before -= from;
    if (row.after != kNoImage) row.after -= from;
  }
  while (!held_.empty() && held_.front().end_row <= count) {
    bytes_ -= held_.front().bytes.size();
    held_.pop_front();
  }
  for (auto& held : held_) held.end_row -= count;
}

void RowBuffer::drop_back(std::size_t count) {
  if (count == 0) return clear();
  rows_.resize(std::min(count, rows_.size()));
  while (!held_.empty() && (held_.size() == 1 ? 0 : held_[held_.size() - 2].end_row) >= count) {
    bytes_ -= held_.back().bytes.size();
    held_.pop_back();
  }
}

message::ImageView view_of(const RowBuffer& buffer, ImageAt at, std::size_t columns) {
  message::ImageView view;
  for (std::size_t i = 0; i < columns; ++i) {
    const auto value = buffer.value(at, i);
    view.values.push_back(value);
    view.nulls.push_back(is_null(value) ? 1 : 0);
  }
  return view;
}

}  // namespace datasync::apply
