#include "cli/topic/record_lines.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/message/row.hpp"
#include "cli/topic/row_json.hpp"

namespace datasync::cli {
namespace {

using Json = nlohmann::ordered_json;
using message::Kind;

std::string iso_time(std::uint64_t micros) {
  // Source clocks may have any value: a value that is not a date is shown as a number.
  constexpr std::uint64_t kYear9999 = 253'402'300'799ULL * 1'000'000;
  if (micros > kYear9999) return std::to_string(micros);
  const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(micros)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string hex_id(message::SchemaId id) {
  return fmt::format("{:016x}", id.value());
}

std::string_view op_name(message::Op op) {
  switch (op) {
    case message::Op::Insert:
      return "insert";
    case message::Op::Update:
      return "update";
    case message::Op::Delete:
      return "delete";
    case message::Op::Truncate:
      break;
  }
  return "truncate";
}

class Lines {
 public:
  Lines(const RawRecord& record, const RecordFilter& filter, const FindSchema& schema)
      : record_(record), filter_(filter), find_schema_(schema) {}

  std::vector<std::string> make() {
    head_ = {{"partition", record_.partition}, {"offset", record_.offset}};
    if (!record_.headers) {
      error(record_.headers.error().what);
      return std::move(lines_);
    }
    const auto& headers = *record_.headers;
    if (!filter_.type.empty() && headers.type != filter_.type) return {};
    head_["kind"] = message::to_string(headers.kind);
    if (!headers.type.empty()) head_["type"] = headers.type;
    if (headers.epoch.value() != 0) head_["epoch"] = headers.epoch.value();
    if (headers.end != message::End::None) head_["end"] = message::to_string(headers.end);
    if (!record_.key.empty()) head_["key"] = std::string(record_.key);
    if (record_.tombstone) {
      if (narrow()) return {};
      head_["tombstone"] = true;
      add(head_);
    } else {
      body(headers.kind);
    }
    return std::move(lines_);
  }

 private:
  [[nodiscard]] bool narrow() const { return !filter_.table.empty() || !filter_.gtid.empty() || filter_.key; }
  void add(const Json& line) { lines_.push_back(line.dump(-1, ' ', false, Json::error_handler_t::replace)); }
  void error(const std::string& what) {
    auto line = head_;
    line["error"] = what;
    add(line);
  }

  void body(Kind kind) {
    switch (kind) {
      case Kind::Change:
        return decoded<message::Change>();
      case Kind::Schema:
        return decoded<message::SchemaNote>();
      case Kind::Snapshot:
        return decoded<message::Snapshot>();
      case Kind::Watermark:
        return decoded<message::Watermark>();
      case Kind::Start:
        return decoded<message::Start>();
      case Kind::Verify:
        return decoded<message::Verify>();
      case Kind::Claim:
        return decoded<message::Claim>();
      case Kind::Checkpoint:
        return decoded<message::Checkpoint>();
      case Kind::Progress:
        return decoded<message::SnapshotProgress>();
      case Kind::SchemaBody:
        return schema_body();
      case Kind::Request:
        return decoded<message::Request>();
      case Kind::Definition:
        break;
    }
    if (!narrow()) add(head_);
  }

  template <class T>
  void decoded() {
    const auto value = message::decode<T>(record_.value);
    if (!value) return error(value.error().what);
    show(*value);
  }

  void show(const message::Change& c) {
    const auto gtid = c.gtid.text();
    if (!filter_.gtid.empty() && filter_.gtid != gtid) return;
    head_["gtid"] = gtid;
    head_["commitTime"] = iso_time(c.commit_time_us);
    head_["fragment"] = c.fragment;
    if (c.tables.empty() && !narrow_rows()) add(head_);
    for (const auto& t : c.tables) rows(t);
  }
  void show(const message::Snapshot& s) {
    constexpr std::string_view kPhases[] = {"", "begin", "rows", "tableDone", "end"};
    if (!filter_.gtid.empty()) return;
    head_["snapshot"] = s.id;
    head_["phase"] = kPhases[static_cast<std::size_t>(s.phase)];
    head_["position"] = s.position.text();
    if (s.phase == message::Snapshot::Phase::Rows) {
      for (const auto& t : s.rows) rows(t);
      return;
    }
    const bool wanted = filter_.table.empty() || std::ranges::find(s.tables, filter_.table) != s.tables.end();
    if (!wanted || filter_.key) return;
    head_["tables"] = s.tables;
    add(head_);
  }
  void show(const message::SchemaNote& n) {
    if (!wants_table(n.database + "." + n.table) || filter_.key) return;
    if (!filter_.gtid.empty() && filter_.gtid != n.gtid.text()) return;
    head_["gtid"] = n.gtid.text();
    head_["table"] = n.database + "." + n.table;
    head_["what"] = n.what == message::SchemaNote::What::Dropped ? "dropped" : "renamed";
    head_["statement"] = n.statement;
    if (!n.renamed_to.empty()) head_["renamed_to"] = n.renamed_to;
    add(head_);
  }
  void show(const message::Verify& v) {
    if (!wants_table(v.database + "." + v.table) || !filter_.gtid.empty() || filter_.key) return;
    head_["verify"] = v.id;
    head_["position"] = v.position.text();
    head_["table"] = v.database + "." + v.table;
    head_["rows"] = v.rows;
    head_["checksum"] = fmt::format("{:016x}{:016x}", v.checksum_high, v.checksum_low);
    head_["last"] = v.last;
    add(head_);
  }
  void show(const message::Watermark& w) {
    if (narrow()) return;
    head_["position"] = w.position.text();
    head_["sourceTime"] = iso_time(w.source_time_us);
    add(head_);
  }
  void show(const message::Start& s) {
    if (narrow()) return;
    head_["instance"] = s.instance;
    add(head_);
  }
  void show(const message::Claim& c) {
    if (narrow()) return;
    head_["epoch"] = c.epoch.value();
    head_["instance"] = c.instance;
    head_["time"] = iso_time(c.time_us);
    add(head_);
  }
  void show(const message::Checkpoint& c) {
    if (narrow()) return;
    head_["epoch"] = c.epoch.value();
    head_["stream"] = c.stream;
    head_["streamOffset"] = c.offset;
    head_["published"] = c.published.text();
    head_["dumpFrom"] = c.dump_from.text();
    add(head_);
  }
  void show(const message::SnapshotProgress& p) {
    const auto table = p.table.empty() ? std::string() : p.database + "." + p.table;
    if (!wants_table(table) || !filter_.gtid.empty() || filter_.key) return;
    head_["epoch"] = p.epoch.value();
    head_["snapshot"] = p.id;
    if (!table.empty()) head_["table"] = table;
    head_["done"] = p.done;
    head_["rowsDone"] = p.rows_done;
    head_["rowsEstimate"] = p.rows_estimate;
    if (!p.tables.empty()) head_["tables"] = p.tables;
    add(head_);
  }

  void show(const message::Request& r) {
    if (narrow()) return;
    head_["request"] = r.id;
    head_["from"] = r.from;
    head_["tables"] = r.tables;
    if (r.served) head_["served"] = r.epoch.value();
    if (!r.absent.empty()) head_["absent"] = r.absent;
    add(head_);
  }

  void schema_body() {
    const auto schema = message::parse_schema(record_.value);
    if (!schema) return error(schema.error().what);
    if (!wants_table(schema->qualified()) || !filter_.gtid.empty() || filter_.key) return;
    head_["schema"] = hex_id(schema->id());
    head_["table"] = schema->qualified();
    auto columns = Json::array();
    for (const auto& c : schema->columns) {
      columns.push_back({{"name", c.name}, {"type", message::to_string(c.type)}, {"nullable", c.nullable}});
    }
    head_["columns"] = std::move(columns);
    auto key = Json::array();
    for (const auto k : schema->key) key.push_back(schema->columns[k].name);
    head_["primaryKey"] = std::move(key);
    add(head_);
  }

  [[nodiscard]] bool wants_table(const std::string& table) const {
    return filter_.table.empty() || filter_.table == table;
  }
  [[nodiscard]] bool narrow_rows() const { return !filter_.table.empty() || filter_.key; }

  void rows(const message::TableRows& t) {
    const auto schema = find_schema_(t.schema);
    if (!schema) return error(fmt::format("schema {} is not in the state topic", hex_id(t.schema)));
    if (!wants_table(schema->qualified())) return;
    message::RowReader reader(*schema, base::as_bytes(t.rows));
    message::RowView row;
    while (true) {
      const auto more = reader.next(row);
      if (!more) return error(more.error().what);
      if (!*more) return;
      one_row(*schema, row);
    }
  }

  void one_row(const message::TableSchema& schema, const message::RowView& row) {
    const bool has_before = row.op == message::Op::Update || row.op == message::Op::Delete;
    const bool has_after = row.op == message::Op::Insert || row.op == message::Op::Update;
    if (filter_.key && !(has_before && has_key(schema, row.before)) && !(has_after && has_key(schema, row.after)))
      return;
    auto line = head_;
    line["table"] = schema.qualified();
    line["op"] = op_name(row.op);
    if (has_before) line["before"] = image_json(schema, row.before);
    if (has_after) line["after"] = image_json(schema, row.after);
    add(line);
  }

  [[nodiscard]] bool has_key(const message::TableSchema& schema, const message::ImageView& image) const {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      if (schema.columns[i].name != filter_.key->first) continue;
      return image.nulls[i] == 0 && message::display(schema.columns[i], image.values[i]) == filter_.key->second;
    }
    return false;
  }

  const RawRecord& record_;
  const RecordFilter& filter_;
  const FindSchema& find_schema_;
  Json head_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> record_lines(const RawRecord& record, const RecordFilter& filter, const FindSchema& schema) {
  return Lines(record, filter, schema).make();
}

}  // namespace datasync::cli
