// How fast a binlog file becomes rows of messages, with nothing around it.
// Usage: decode-bench FILE [ROUNDS]; prints rows per second of processor time, which other processes do not change.

#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include "tests/unit/binlog/binlog_file.hpp"

namespace {

using namespace datasync;
using base::Result;

/// Encodes every row and throws the bytes away every 64 KiB.
class Sink : public binlog::test::Recorder {
 public:
  std::uint64_t rows = 0, bytes = 0;

  Result<void> on_gtid(const binlog::GtidEvent&, const binlog::EventHeader&, const binlog::Where&) override {
    return {};
  }
  Result<void> on_commit(const binlog::EventHeader&) override { return {}; }
  Result<void> on_query(const binlog::QueryInfo&) override { return {}; }
  Result<binlog::TableToken> on_table(const binlog::TableMap& map, const binlog::Where&) override {
    DS_ASSIGN(auto encoder, binlog::RowEncoder::make(map, binlog::test::options()));
    tables_.push_back(std::move(encoder));
    return static_cast<binlog::TableToken>(tables_.size() - 1);
  }
  Result<void> on_rows(binlog::TableToken table, const binlog::RowsEvent& event) override {
    DS_ASSIGN(auto cursor, tables_[table].open(event));
    while (!cursor.done()) {
      DS_ASSIGN(const auto n, cursor.fill(out_, kTarget));
      rows += n;
      if (n != 0 && out_.size() < kTarget) continue;
      bytes += out_.size();
      out_.clear();
    }
    return {};
  }

 private:
  static constexpr std::size_t kTarget = std::size_t{64} << 10U;
  std::vector<binlog::RowEncoder> tables_;
  base::Buffer out_;
};

bool round(const std::string& file, bool verify) {
  Sink sink;
  binlog::EventReader reader(sink, {.verify_checksums = verify});
  const std::clock_t start = std::clock();
  Result<void> result;
  binlog::test::for_each_event(base::as_bytes(file), [&](base::Bytes event) {
    result = reader.feed(event);
    return result.has_value();
  });
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (!result) {
    fmt::print(stderr, "{}: {}\n", to_string(result.error().reason), result.error().what);
    return false;
  }
  const auto rows = static_cast<double>(sink.rows);
  fmt::print("{} rows, {} events, {:.0f} MB/s, {:.0f} rows/s, {:.3f} us/row{}\n", sink.rows, reader.counters().events,
             static_cast<double>(file.size()) / took / 1e6, rows / took, took * 1e6 / rows,
             verify ? ", checksums verified" : "");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} FILE [ROUNDS]\n", argv[0]);
    return 2;
  }
  const auto file = binlog::test::read_file(argv[1]);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  for (int i = 0; i < rounds; ++i) {
    if (!round(file, false) || !round(file, true)) return 1;
  }
  return 0;
}
