// The part of the writer that keeps the rows of a prepared XA transaction, and puts them on the streams at its commit.

#include <utility>

#include "agents/capture/stream/writer.hpp"

namespace datasync::capture {

HeldTransaction StreamWriter::take_held() {
  HeldTransaction held;
  for (auto& s : streams_) {
    if (!s.group.empty()) {
      held_bytes_ += s.group.bytes();
      s.kept.push_back(std::move(s.group));
      s.group = {};
    }
    held.streams.push_back(std::move(s.kept));
    s.kept.clear();
  }
  held.bytes = held_bytes_;
  held.rows = rows_;
  rows_ = 0;
  return held;
}

base::Result<void> StreamWriter::put_held(HeldTransaction held) {
  rows_ += held.rows;
  for (std::size_t i = 0; i < streams_.size() && i < held.streams.size(); ++i) {
    auto& s = streams_[i];
    if (s.skip) continue;
    for (auto& group : held.streams[i]) {
      DS_TRY(close_group(static_cast<std::int32_t>(i), message::End::Group));
      s.group = std::move(group);
    }
  }
  return {};
}

}  // namespace datasync::capture
