#include "agents/protocol/acks.hpp"

#include <algorithm>
#include <utility>

namespace datasync::protocol {
namespace {

void note_finished(std::vector<message::Gtid>& after, const message::Gtid& gtid) {
  const auto same = std::ranges::find(after, gtid.domain, &message::Gtid::domain);
  if (same == after.end())
    after.push_back(gtid);
  else if (same->sequence < gtid.sequence)
    *same = gtid;
}

}  // namespace

AckTracker::AckTracker(std::vector<message::GtidSet> published, std::vector<Offset> next_offset,
                       const std::vector<std::uint64_t>& last_records)
    : streams_(published.size()) {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    streams_[i].progress.published = std::move(published[i]);
    streams_[i].progress.next_offset = next_offset.at(i);
    if (i < last_records.size()) streams_[i].progress.last_record = last_records[i];
  }
}

// A token is the entry's number on its stream times the number of streams, plus the stream.
std::uint64_t AckTracker::announce(std::int32_t stream, Entry entry) {
  const std::scoped_lock lock(mutex_);
  const auto index = static_cast<std::size_t>(stream);
  auto& s = streams_.at(index);
  const auto number = s.first + s.entries.size();
  s.entries.push_back(std::move(entry));
  return number * streams_.size() + index;
}

std::uint64_t AckTracker::sent(std::int32_t stream, message::End end, const message::Gtid& gtid, std::uint64_t mark) {
  Entry entry;
  entry.mark = mark;
  entry.gtid = gtid;
  entry.end = end;
  return announce(stream, std::move(entry));
}

std::uint64_t AckTracker::sent_between(std::int32_t stream, std::uint64_t mark) {
  Entry entry;
  entry.mark = mark;
  entry.between = true;
  return announce(stream, std::move(entry));
}

void AckTracker::finished(const message::Gtid& gtid) {
  const std::scoped_lock lock(mutex_);
  for (auto& s : streams_) {
    if (!s.entries.empty()) {
      const auto& last = s.entries.back();
      if (last.end != message::End::Transaction || last.gtid != gtid) note_finished(s.entries.back().after, gtid);
    } else if (!s.progress.published.contains(gtid)) {
      s.progress.published.add(gtid);
      ++s.progress.sequence;
    }
  }
}

void AckTracker::acknowledged(std::uint64_t token, Offset offset) {
  const std::scoped_lock lock(mutex_);
  auto& s = streams_.at(token % streams_.size());
  const auto number = token / streams_.size();
  if (number < s.first || number - s.first >= s.entries.size()) return;
  auto& entry = s.entries[number - s.first];
  entry.done = true;
  entry.offset = offset;
  if (number == s.first) settle(s);
}

void AckTracker::settle(Stream& s) {
  while (!s.entries.empty() && s.entries.front().done) {
    const auto& e = s.entries.front();
    if (!e.between) s.open = e.end != message::End::Transaction && e.end != message::End::Abort;
    // The report of a record that the broker recognized as a duplicate may lack its offset.
    if (!s.open && e.offset >= s.progress.next_offset) {
      s.progress.next_offset = e.offset + 1;
      s.progress.last_record = e.mark;
    }
    if (e.end == message::End::Transaction) s.progress.published.add(e.gtid);
    for (const auto& gtid : e.after) s.progress.published.add(gtid);
    ++s.progress.sequence;
    ++s.first;
    s.entries.pop_front();
  }
}

AckTracker::Progress AckTracker::progress(std::int32_t stream) const {
  const std::scoped_lock lock(mutex_);
  return streams_.at(static_cast<std::size_t>(stream)).progress;
}

std::size_t AckTracker::in_flight() const {
  const std::scoped_lock lock(mutex_);
  std::size_t sum = 0;
  for (const auto& s : streams_) sum += s.entries.size();
  return sum;
}

}  // namespace datasync::protocol
