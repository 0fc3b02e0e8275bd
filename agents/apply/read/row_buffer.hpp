#pragma once
// Row changes on their way from the stream to the destination: cut into values, in source order, without an object per
// row.

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/message/row.hpp"

namespace datasync::apply {

/// Index of a table in the planner and in the catalog that made it.
using TableIndex = std::uint32_t;

/// Where the values of an image begin in a RowBuffer; one per column of the table.
using ImageAt = std::uint32_t;
inline constexpr ImageAt kNoImage = UINT32_MAX;

struct RowChange {
  TableIndex table = 0;
  message::Op op = message::Op::Insert;
  ImageAt before = kNoImage;
  ImageAt after = kNoImage;
};

/// Holds the records' bytes and the values cut out of them. A NULL value is a span without data; an empty value has
/// data. Memory is reused after `clear`. Not thread-safe.
class RowBuffer {
 public:
  /// Takes over `rows` (the compact layout, agents/message/row.hpp) of a table with schema `schema`.
  /// Errors: ForeignMessage.
  base::Result<void> append(TableIndex table, const message::TableSchema& schema, std::string rows);

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<const RowChange> rows() const noexcept { return rows_; }
  /// The values of an image, from its first column on.
  [[nodiscard]] const base::Bytes* image(ImageAt at) const noexcept { return values_.data() + at; }
  [[nodiscard]] base::Bytes value(ImageAt at, std::size_t column) const noexcept { return values_[at + column]; }

  void clear() noexcept;
  /// Forgets the first `count` rows; the others keep their order.
  void drop_front(std::size_t count);
  /// Keeps only the first `count` rows.
  void drop_back(std::size_t count);

 private:
  struct Held {
    std::string bytes;        ///< what the values point into
    std::size_t end_row = 0;  ///< one past its last row
  };
  ImageAt put(const message::ImageView& image);

  std::deque<Held> held_;  ///< a deque: short strings hold their bytes in themselves and must not move
  std::vector<RowChange> rows_;
  std::vector<base::Bytes> values_;
  std::size_t bytes_ = 0;
  message::RowView scratch_;
};

inline bool is_null(base::Bytes value) noexcept {
  return value.data() == nullptr;
}

/// The image at `at` in the form the display functions of the message layer take.
message::ImageView view_of(const RowBuffer& buffer, ImageAt at, std::size_t columns);

}  // namespace datasync::apply
