#include "tests/bench/rows.hpp"

#include <fmt/format.h>

namespace datasync::bench {
namespace {

constexpr std::size_t kGroup = 11;

/// A small generator of its own, so that a row depends on its id and nothing else.
class Digits {
 public:
  explicit Digits(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::uint64_t next() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }
  std::string groups(std::size_t count) {
    std::string out;
    for (std::size_t g = 0; g < count; ++g) {
      if (g != 0) out += '-';
      auto bits = next();
      for (std::size_t i = 0; i < kGroup; ++i, bits /= 10) out += static_cast<char>('0' + bits % 10);
    }
    return out;
  }

 private:
  std::uint64_t state_;
};

}  // namespace

Row make_row(std::uint64_t id) {
  Digits digits(id);
  Row r;
  r.id = static_cast<std::int32_t>(id);
  r.k = static_cast<std::int32_t>(digits.next() % 1'000'000);
  r.c = digits.groups(10);
  r.pad = digits.groups(5);
  return r;
}

message::TableSchema row_schema() {
  using message::ColumnType;
  const auto text = [](const char* name, std::uint64_t length) {
    return message::Column{.name = name,
                           .type = ColumnType::Char,
                           .nullable = false,
                           .length = length,
                           .charset = "latin1",
                           .collation = "latin1_swedish_ci"};
  };
  return {.database = "bench",
          .table = "sbtest1",
          .columns = {{.name = "id", .type = ColumnType::Int, .nullable = false},
                      {.name = "k", .type = ColumnType::Int, .nullable = false},
                      text("c", 120),
                      text("pad", 60)},
          .key = {0}};
}

std::string row_table() {
  return "(id INT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) CHARACTER SET latin1 NOT NULL, "
         "pad CHAR(60) CHARACTER SET latin1 NOT NULL, KEY k_1 (k))";
}

std::string row_values(std::uint64_t first, std::uint64_t last) {
  std::string out;
  for (auto id = first; id <= last; ++id) {
    const auto r = make_row(id);
    out += fmt::format("{}({},{},'{}','{}')", id == first ? "" : ",", r.id, r.k, r.c, r.pad);
  }
  return out;
}

}  // namespace datasync::bench
