#pragma once
// The compact row layout (docs/messages.md, "rows"). A bytes field holds the rows of one table in one record:
//
//   rows  := row*
//   row   := op:u8 image                 op Insert: after   op Delete: before
//          | op:u8 image image           op Update: before, after
//          | op:u8                       op Truncate: all rows of the table are deleted
//   image := nulls value*                nulls: ceil(columns/8) bytes, bit i%8 of byte i/8 set = column i is NULL
//   value := by the column's type; little-endian; `bytes` is varint length + bytes
//
//   TinyInt 1 byte, SmallInt 2, MediumInt 4, Int 4, BigInt 8, two's complement or unsigned by the column's sign
//   Float 4 and Double 8, IEEE 754 bits as stored     Year 2 (0 is the year 0000)
//   Decimal bytes: ASCII "-12.30", always `scale` digits after the point
//   Char, VarChar, Text, Json bytes in the column's charset     Binary, VarBinary, Blob bytes
//   Geometry bytes: 4 bytes SRID, then WKB      Uuid 16 bytes in text order   Inet4 4, Inet6 16, network order
//   Date 4: year<<9 | month<<5 | day, zero and partial dates as they are
//   DateTime 8: year<<46 | month<<42 | day<<37 | hour<<32 | minute<<26 | second<<20 | microsecond
//   Timestamp 8, signed: microseconds since 1970-01-01 UTC; 0 is the zero timestamp '0000-00-00 00:00:00'
//   Time 8, signed microseconds   Enum 2: index, 0 is the invalid value ''   Set 8: bit mask   Bit 8: the bits as a
//   number

#include <cstdint>
#include <string>
#include <vector>

#include "agents/base/bytes.hpp"
#include "agents/base/result.hpp"
#include "agents/message/schema.hpp"

namespace datasync::message {

enum class Op : std::uint8_t { Insert = 1, Update = 2, Delete = 3, Truncate = 4 };

/// The encoding of a value in an image: a fixed width, or varint length + bytes (`kVariable`).
inline constexpr std::uint8_t kVariable = 0;
/// Returns the width of a value in bytes, or kVariable.
std::uint8_t value_width(ColumnType type) noexcept;

/// One image, split into its values. `values[i]` is the bytes of column i without the length prefix; `nulls[i]` is 1
/// when column i is NULL. The spans point into the record. Reuse one object for many rows: it allocates only for the
/// first.
struct ImageView {
  base::Bytes raw;  ///< the whole image, nulls included: equal images are equal bytes
  std::vector<base::Bytes> values;
  std::vector<char> nulls;  ///< 1 is NULL; not vector<bool>, which is slow
};

/// One row: its operation and its images.
struct RowView {
  Op op = Op::Insert;
  ImageView before;  ///< Update, Delete
  ImageView after;   ///< Insert, Update
};

/// Reads the rows of one table in one record. Every length is checked against the bytes.
class RowReader {
 public:
  /// `schema` and `rows` must outlive the reader.
  RowReader(const TableSchema& schema, base::Bytes rows);
  /// Reads the next row into `row`. Returns false at the end. Errors: ForeignMessage naming the table and the offset in
  /// the bytes.
  base::Result<bool> next(RowView& row);

 private:
  const TableSchema& schema_;
  base::Cursor cursor_;
  std::size_t total_;
  std::vector<std::uint8_t> widths_;
};

/// Splits an image that has no operation before it. `image` must outlive the view. Errors: ForeignMessage naming the
/// table.
base::Result<void> read_image(const TableSchema& schema, base::Bytes image, ImageView& out);

/// Builds one image column by column, in order; used by readers of SELECT results and by tests. The binlog decoder
/// writes the same layout directly from event bytes.
class ImageWriter {
 public:
  /// Starts an image of `columns` columns at the end of `out`; every column is NULL until a value is written.
  ImageWriter(base::Buffer& out, std::size_t columns);
  void null() noexcept { ++column_; }  ///< the NULL bit is already set
  template <class T>
  void fixed(T value) {  ///< T has the width that the layout requires
    present();
    out_.put(value);
  }
  void bytes(base::Bytes value) {
    present();
    out_.varint(value.size());
    out_.append(value);
  }
  void fixed_bytes(base::Bytes value) {  ///< Uuid, Inet4, Inet6
    present();
    out_.append(value);
  }

 private:
  void present() noexcept;

  base::Buffer& out_;
  std::size_t nulls_at_;
  std::size_t column_ = 0;
};

/// Calendar fields of a Date or DateTime value.
struct DateTimeParts {
  std::uint32_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0;
  bool operator==(const DateTimeParts&) const = default;
};
/// Packs calendar fields in the layout above; the unpack functions reverse it.
constexpr std::uint32_t pack_date(std::uint32_t year, std::uint32_t month, std::uint32_t day) noexcept {
  return year << 9U | month << 5U | day;
}
constexpr std::uint64_t pack_datetime(const DateTimeParts& p) noexcept {
  return std::uint64_t{p.year} << 46U | std::uint64_t{p.month} << 42U | std::uint64_t{p.day} << 37U |
         std::uint64_t{p.hour} << 32U | std::uint64_t{p.minute} << 26U | std::uint64_t{p.second} << 20U |
         std::uint64_t{p.microsecond};
}
constexpr DateTimeParts unpack_date(std::uint32_t v) noexcept {
  return {v >> 9U, v >> 5U & 0xFU, v & 0x1FU};
}
constexpr DateTimeParts unpack_datetime(std::uint64_t v) noexcept {
  const auto bits = [v](unsigned shift, unsigned width) {
    return static_cast<std::uint32_t>(v >> shift & ((std::uint64_t{1} << width) - 1));
  };
  return {bits(46, 18), bits(42, 4), bits(37, 5), bits(32, 5), bits(26, 6), bits(20, 6), bits(0, 20)};
}

/// Formats a value for `datasync tail`, never for errors: valid text as UTF-8, other bytes as 0x and hex.
std::string display(const Column& column, base::Bytes value);
/// Formats an image as "{id=7, name='x', note=NULL}", each value truncated to 64 characters.
std::string display_image(const TableSchema& schema, const ImageView& image);

}  // namespace datasync::message
