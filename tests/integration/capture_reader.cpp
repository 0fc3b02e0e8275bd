#include "tests/integration/capture_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "agents/capture/snapshot/chunk_reader.hpp"

namespace datasync::test {
namespace {

template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return std::move(*result);
}

constexpr std::chrono::milliseconds kWait{10000};

/// Hands over [from, end) of a partition; returns the end.
template <class Take>
std::int64_t read(const kafka::Access& access, const std::string& topic, std::int32_t partition, std::int64_t from,
                  Take take) {
  auto consumer = must(kafka::Consumer::open(access, topic, partition, from));
  const auto end = must(consumer->watermarks()).high;
  for (auto next = from; next < end;) {
    const auto record = must(consumer->next(kWait));
    if (!record) throw std::runtime_error("the topic gives nothing");
    next = record->offset() + 1;
    take(*record);
  }
  return end;
}

}  // namespace

CaptureReader::CaptureReader(const std::string& bootstrap, const std::string& topic, int streams)
    : topic_(topic), streams_(static_cast<std::size_t>(streams)) {
  access_.bootstrap_servers = bootstrap;
}

void CaptureReader::read_state() {
  state_next_ = read(access_, topic_ + ".state", 0, state_next_, [&](const kafka::Record& record) {
    if (record.tombstone()) return;
    const auto headers = must(record.headers());
    const auto seen = state_.see(
        {record.offset(), headers.kind, std::string(record.key()), std::string(base::as_text(record.value()))});
    if (!seen) throw std::runtime_error(seen.error().what);
  });
}

void CaptureReader::catch_up() {
  // Streams first: a schema is on the state topic before the first row that needs it.
  std::vector<std::vector<std::pair<message::Headers, std::string>>> found(streams_.size());
  for (std::size_t i = 0; i < streams_.size(); ++i)
    streams_[i].next = read(access_, topic_, static_cast<std::int32_t>(i), streams_[i].next, [&](const auto& record) {
      found[i].emplace_back(must(record.headers()), std::string(base::as_text(record.value())));
    });
  read_state();
  for (std::size_t i = 0; i < streams_.size(); ++i)
    for (const auto& [headers, value] : found[i]) take(streams_[i], headers, base::as_bytes(value));
}

void CaptureReader::take(Stream& stream, const message::Headers& headers, base::Bytes value) {
  using Verdict = protocol::ReaderRule::Verdict;
  const auto verdict = stream.rule.see(headers);
  if (verdict == Verdict::Foreign) broken_.push_back("a record of an epoch that has not started");
  if (verdict == Verdict::NewEpoch) {
    stream.open.clear();
    stream.open_gtid.clear();
  }
  if (verdict != Verdict::Take) return;
  ++records_;
  if (!headers.type.empty()) types_.insert(headers.type);
  switch (headers.kind) {
    case message::Kind::Change:
      return take_change(stream, headers, value);
    case message::Kind::Snapshot:
      return take_snapshot(stream, value);
    case message::Kind::Watermark:
      if (!stream.open_gtid.empty()) broken_.push_back("a watermark inside " + stream.open_gtid);
      stream.position.unite(must(message::decode<message::Watermark>(value)).position);
      return;
    case message::Kind::Schema:
      notes_.push_back(must(message::decode<message::SchemaNote>(value)));
      if (headers.end == message::End::Transaction) stream.position.add(notes_.back().gtid);
      return;
    case message::Kind::Verify:
      verified_.push_back(must(message::decode<message::Verify>(value)));
      return;
    default:
      return;
  }
}

void CaptureReader::take_change(Stream& stream, const message::Headers& headers, base::Bytes value) {
  auto change = must(message::decode<message::Change>(value));
  const auto gtid = change.gtid.text();
  if (headers.end == message::End::Abort) {
    stream.open.clear();
    stream.open_gtid.clear();
    ++aborted_;
    return;
  }
  if (stream.open_gtid.empty() && stream.position.contains(change.gtid)) broken_.push_back(gtid + " comes twice");
  if (!stream.open_gtid.empty() && stream.open_gtid != gtid) broken_.push_back(gtid + " inside " + stream.open_gtid);
  if (stream.open_gtid.empty() && change.fragment != 0) broken_.push_back(gtid + " begins in its middle");
  stream.open_gtid = gtid;
  for (auto& rows : change.tables) stream.open.push_back(std::move(rows));
  if (headers.end != message::End::Transaction) return;
  std::ranges::stable_sort(stream.open, {}, &message::TableRows::order);
  for (const auto& rows : stream.open) apply(stream, rows, false);
  stream.open.clear();
  stream.open_gtid.clear();
  stream.position.add(change.gtid);
  ++transactions_;
}

void CaptureReader::take_snapshot(Stream& stream, base::Bytes value) {
  const auto record = must(message::decode<message::Snapshot>(value));
  if (!stream.open_gtid.empty()) broken_.push_back("a snapshot record inside " + stream.open_gtid);
  switch (record.phase) {
    case message::Snapshot::Phase::Begin:
      for (const auto& table : record.tables) stream.copying[table] = true;
      return;
    case message::Snapshot::Phase::Rows:
      for (const auto& rows : record.rows) apply(stream, rows, true);
      return;
    case message::Snapshot::Phase::TableDone:
      return;
    case message::Snapshot::Phase::End:
      stream.copying.clear();
      ended_ = true;
      return;
  }
}

void CaptureReader::apply(Stream& stream, const message::TableRows& rows, bool tolerant) {
  const auto schema = state_.schema(rows.schema);
  if (!schema) {
    broken_.push_back("a row comes before its schema");
    return;
  }
  tolerant = tolerant || stream.copying.contains(schema->qualified());
  message::RowReader reader(*schema, base::as_bytes(rows.rows));
  message::RowView row;
  std::uint32_t count = 0;
  while (must(reader.next(row))) {
    apply_row(*schema, row, tolerant);
    ++count;
  }
  if (count != rows.count) broken_.push_back("a wrong number of rows");
}

void CaptureReader::apply_row(const message::TableSchema& schema, const message::RowView& row, bool tolerant) {
  auto& table = tables_[schema.qualified()];
  if (row.op == message::Op::Truncate) return table.clear();
  if (row.op != message::Op::Insert) {
    const auto key = must(capture::key_of(schema, row.before.raw));
    const auto at = table.find(key);
    // A row written before its table was altered is compared by its key only.
    const bool altered = at != table.end() && written_as_[schema.qualified()][key] != schema.id();
    const bool same = at != table.end() && (altered || at->second == base::as_text(row.before.raw));
    if (!same && !tolerant)
      broken_.push_back("a change of a row that is not as it says: " + message::display_image(schema, row.before));
    if (at != table.end()) table.erase(at);
  }
  if (row.op != message::Op::Delete) {
    const auto key = must(capture::key_of(schema, row.after.raw));
    written_as_[schema.qualified()][key] = schema.id();
    auto [at, fresh] = table.insert_or_assign(key, std::string(base::as_text(row.after.raw)));
    if (!fresh && !tolerant)
      broken_.push_back("a row that is there already: " + message::display_image(schema, row.after));
  }
}

}  // namespace datasync::test
