#include "tests/unit/binlog/binlog_file.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include "agents/binlog/charset.hpp"
#include "tests/unit/binlog/judgement_text.hpp"

namespace datasync::binlog::test {
namespace {

using base::Bytes;
using base::Result;
using message::ColumnType;

std::string hex_value(Bytes value) {
  return "0x" + to_hex(value);
}

bool shown_as_bytes(const message::Column& c, Bytes value) {
  switch (c.type) {
    case ColumnType::Char:
    case ColumnType::VarChar:
    case ColumnType::Text:
      return !c.charset.starts_with("utf8") || !is_utf8(base::as_text(value));
    case ColumnType::Binary:
    case ColumnType::VarBinary:
    case ColumnType::Blob:
    case ColumnType::Geometry:
    case ColumnType::Inet6:
      return true;
    default:
      return false;
  }
}

std::string show_image(const message::TableSchema& schema, const message::ImageView& image) {
  std::string out;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& c = schema.columns[i];
    out += fmt::format("{}{}={}", i == 0 ? "" : " | ", c.name, image.nulls[i] != 0 ? "NULL" : show(c, image.values[i]));
  }
  return out;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string from_hex(std::string_view text) {
  std::string out;
  int high = -1;
  bool comment = false;
  for (const char c : text) {
    if (c == '#') comment = true;
    if (c == '\n') comment = false;
    if (comment || c == '\n' || c == ' ' || c == '\r') continue;
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) throw std::runtime_error("not a hex digit");
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return out;
}

std::string to_hex(Bytes bytes) {
  std::string out;
  for (const auto b : bytes) out += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return out;
}

std::string fixture(const std::string& name) {
  return from_hex(read_file(std::string(DATASYNC_TEST_DATA) + "/binlog/" + name + ".hex"));
}

std::vector<std::string> fixture_lines(const std::string& file) {
  std::istringstream in(read_file(std::string(DATASYNC_TEST_DATA) + "/binlog/" + file));
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void for_each_event(Bytes file, const std::function<bool(Bytes)>& each) {
  if (!base::as_text(file).starts_with("\xfe"
                                       "bin"))
    throw std::runtime_error("not a binlog file");
  for (std::size_t at = 4; at < file.size();) {
    base::Cursor in(file.subspan(at));
    in.skip(9);
    const auto size = in.get<std::uint32_t>();
    if (!in.ok() || size < kHeaderSize || size > file.size() - at) throw std::runtime_error("cut off binlog file");
    if (!each(file.subspan(at, size))) return;
    at += size;
  }
}

std::optional<Collation> collation(std::uint32_t id) {
  struct Known {
    std::uint32_t id;
    const char* name;
    const char* charset;
  };
  static constexpr std::array kKnown{
      Known{8, "latin1_swedish_ci", "latin1"},    Known{33, "utf8mb3_general_ci", "utf8mb3"},
      Known{35, "ucs2_general_ci", "ucs2"},       Known{45, "utf8mb4_general_ci", "utf8mb4"},
      Known{46, "utf8mb4_bin", "utf8mb4"},        Known{47, "latin1_bin", "latin1"},
      Known{51, "cp1251_general_ci", "cp1251"},   Known{63, "binary", "binary"},
      Known{224, "utf8mb4_unicode_ci", "utf8mb4"}};
  for (const auto& k : kKnown) {
    if (k.id == id) return Collation{k.name, k.charset};
  }
  return std::nullopt;
}

SchemaOptions options(std::vector<Refinement> refinements) {
  SchemaOptions out;
  out.collation_of = collation;
  out.refinements = std::move(refinements);
  return out;
}

std::string show(const message::Column& column, Bytes value) {
  if (value.size() > 100) {
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(value.data()), value.size());
    return fmt::format("crc32={} length={}", crc, value.size());
  }
  if (shown_as_bytes(column, value)) return hex_value(value);
  const bool text = message::is_text(column.type) && column.type != ColumnType::Enum && column.type != ColumnType::Set;
  return text ? std::string(base::as_text(value)) : message::display(column, value);
}

std::string show(const message::TableSchema& schema, const message::RowView& row) {
  switch (row.op) {
    case message::Op::Insert:
      return "insert " + show_image(schema, row.after);
    case message::Op::Delete:
      return "delete " + show_image(schema, row.before);
    case message::Op::Update:
      return "update " + show_image(schema, row.before) + " => " + show_image(schema, row.after);
    case message::Op::Truncate:
      return "truncate";
  }
  return "?";
}

std::vector<std::string> Recorder::rows_of(const std::string& table) const {
  std::vector<std::string> out;
  for (const auto& line : lines_) {
    if (line.starts_with(table + " ")) out.push_back(line.substr(table.size() + 1));
  }
  return out;
}

const message::TableSchema* Recorder::schema(const std::string& table) const {
  const auto at = std::find_if(encoders_.rbegin(), encoders_.rend(),
                               [&](const RowEncoder& e) { return e.schema().qualified() == table; });
  return at == encoders_.rend() ? nullptr : &at->schema();
}

Result<void> Recorder::on_gtid(const GtidEvent& gtid, const EventHeader&, const Where&) {
  lines_.push_back(fmt::format("gtid {}{}{}{}{}{}", gtid.gtid.text(), gtid.standalone() ? " standalone" : "",
                               gtid.ddl() ? " ddl" : "", gtid.prepared_xa() ? " prepared" : "",
                               gtid.completed_xa() ? " completed" : "", gtid.start_alter() ? " start-alter" : ""));
  return {};
}

Result<TableToken> Recorder::on_table(const TableMap& map, const Where&) {
  DS_ASSIGN(auto encoder, RowEncoder::make(map, options_of(map)));
  encoders_.push_back(std::move(encoder));
  return static_cast<TableToken>(encoders_.size() - 1);
}

Result<void> Recorder::on_rows(TableToken table, const RowsEvent& rows) {
  auto& encoder = encoders_.at(table);
  DS_ASSIGN(auto cursor, encoder.open(rows));
  base::Buffer out;
  DS_TRY(cursor.fill(out, ~std::size_t{0}));
  message::RowReader reader(encoder.schema(), out.bytes());
  message::RowView row;
  while (true) {
    DS_ASSIGN(const bool more, reader.next(row));
    if (!more) return {};
    lines_.push_back(encoder.schema().qualified() + " " + show(encoder.schema(), row));
  }
}

Result<void> Recorder::on_query(const QueryInfo& query) {
  lines_.push_back(fmt::format("query [{}] {}", text(query.judgement), query.event.sql));
  std::replace(lines_.back().begin(), lines_.back().end(), '\n', ' ');
  return {};
}

Result<void> Recorder::on_commit(const EventHeader&) {
  lines_.emplace_back("commit");
  return {};
}
Result<void> Recorder::on_rollback() {
  lines_.emplace_back("rollback");
  return {};
}
Result<void> Recorder::on_xa_prepare(const Xid& xid) {
  lines_.push_back("xa-prepare " + xid.text());
  return {};
}
Result<void> Recorder::on_xa_commit(const Xid& xid) {
  lines_.push_back("xa-commit " + xid.text());
  return {};
}
Result<void> Recorder::on_xa_rollback(const Xid& xid) {
  lines_.push_back("xa-rollback " + xid.text());
  return {};
}
Result<void> Recorder::on_gtid_list(const message::GtidSet& set) {
  lines_.push_back("gtid-list " + set.text());
  return {};
}
Result<void> Recorder::on_heartbeat(std::string_view file, std::uint64_t position) {
  lines_.push_back(fmt::format("heartbeat {}:{}", file, position));
  return {};
}
Result<void> Recorder::on_rotate(std::string_view file, std::uint64_t position, bool artificial) {
  lines_.push_back(fmt::format("rotate {}:{}{}", file, position, artificial ? " artificial" : ""));
  return {};
}
Result<void> Recorder::on_incident(std::string_view text, const Where&) {
  lines_.push_back(fmt::format("incident {}", text));
  return {};
}

Result<void> decode(Bytes file, Handler& handler) {
  EventReader reader(handler);
  Result<void> out;
  for_each_event(file, [&](Bytes event) {
    out = reader.feed(event);
    return out.has_value();
  });
  return out;
}

}  // namespace datasync::binlog::test
