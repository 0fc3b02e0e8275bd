// The part of a snapshot that puts the rows of a chunk on their stream.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/snapshot/snapshot.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;
using Phase = message::Snapshot::Phase;

constexpr base::Millis kLookEvery{50};

std::string text_of(const base::Buffer& buffer) {
  return std::string(buffer.text());
}

}  // namespace

message::Snapshot SnapshotRunner::rows_record() const {
  message::Snapshot record;
  record.id = plan_.id;
  record.phase = Phase::Rows;
  record.position = parts_.writer.position();
  return record;
}

/// What a record of rows needs besides the rows. Later records may have a longer position and larger numbers.
std::size_t SnapshotRunner::frame_bytes() const {
  constexpr std::size_t kGrowth = 256;
  auto record = rows_record();
  record.rows.resize(1);
  return message::encode(record).size() + kGrowth;
}

/// Rows are put on the stream only when all of the chunk's records fit: a chunk must not end in its middle.
base::Result<void> SnapshotRunner::check_size(const Chunk& chunk) const {
  const auto frame = frame_bytes() + kRecordOverhead;
  for (const auto& f : chunk.fragments)
    if (f.rows.size() + frame > settings_.max_record_bytes)
      return Error(Reason::RowTooLarge,
                   fmt::format("{} makes a record of {} bytes, the topic takes {}: raise its max.message.bytes",
                               parts_.name_row(chunk.schema), f.rows.size() + frame, settings_.max_record_bytes));
  return {};
}

/// Gives the fragments away one by one: a chunk with a huge row is not held twice.
base::Result<void> SnapshotRunner::emit(const SnapshotTask& task, Chunk& chunk, bool first) {
  DS_TRY(check_size(chunk));
  {
    const std::scoped_lock lock(mutex_);
    before_them_.erase(task.table->qualified());
  }
  const std::scoped_lock lock(parts_.between);
  auto record = rows_record();
  std::uint32_t order = 0;
  if (first && task.replace) {
    base::Buffer truncate;
    truncate.put(static_cast<std::uint8_t>(message::Op::Truncate));
    record.rows = {{chunk.schema.id(), order++, 1, 0, text_of(truncate)}};
    record.last = chunk.fragments.empty();
    DS_TRY(emit_fragment(*task.table, record, message::End::None, {}));
    ++record.fragment;
  }
  if (first && !task.replace && chunk.fragments.empty()) {
    // An empty table: readers get its definition, as rows of none.
    record.rows = {{chunk.schema.id(), order, 0, 0, {}}};
    record.last = true;
    DS_TRY(emit_fragment(*task.table, record, message::End::None, {}));
    ++record.fragment;
  }
  auto progress = progress_of(*task.table);
  progress.last_key = chunk.after;
  progress.rows_done = task.rows_done + chunk.rows;
  progress.rows_estimate = std::max(chunk.rows_estimate, progress.rows_done);
  for (std::size_t i = 0; i < chunk.fragments.size(); ++i) {
    auto& f = chunk.fragments[i];
    record.last = i + 1 == chunk.fragments.size();
    Output::OnAcked on_acked;
    // Not `this`: the acknowledgement may come after the runner has ended.
    if (record.last) on_acked = [&keeper = parts_.keeper, progress] { keeper.progress(progress); };
    record.rows.clear();
    auto value =
        encode_snapshot_rows(record, {chunk.schema.id(), order++, f.count, 0}, std::exchange(f.rows, base::Buffer()));
    DS_TRY(parts_.output.between_rows(task.table->stream,
                                      {message::Kind::Snapshot, task.table->type, {}, message::End::None},
                                      std::move(value), std::move(on_acked)));
    ++record.fragment;
  }
  if (!chunk.complete) return {};
  progress.done = true;
  record = {plan_.id, Phase::TableDone, record.position, {task.table->qualified()}, 0, true, {}};
  return emit_fragment(*task.table, record, message::End::None,
                       [&keeper = parts_.keeper, progress] { keeper.progress(progress); });
}

base::Result<void> SnapshotRunner::emit_fragment(const TableChoice& table, message::Snapshot record, message::End end,
                                                 Output::OnAcked on_acked) {
  const auto value = message::encode(record);
  return parts_.output.between(table.stream, {message::Kind::Snapshot, table.type, {}, end}, value,
                               std::move(on_acked));
}

void SnapshotRunner::newer_than_place(const message::GtidSet& until) {
  const std::scoped_lock lock(mutex_);
  until_.unite(until);
}

/// Readers take changes whose rows they have already only until the end of the snapshot.
base::Result<void> SnapshotRunner::wait_for_changes(std::stop_token stop) {
  const auto until = [this] {
    const std::scoped_lock lock(mutex_);
    return until_;
  }();
  while (!parts_.writer.position().contains(until))
    if (!base::sleep_for(stop, kLookEvery)) return Error(Reason::Stopping, "stopped at the end of a snapshot");
  return {};
}

}  // namespace datasync::capture
