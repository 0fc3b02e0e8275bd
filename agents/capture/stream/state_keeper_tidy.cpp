// What no reader of the state topic needs any more is removed from it, and what others wrote there is learnt.

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "agents/base/log.hpp"
#include "agents/capture/stream/state_keeper.hpp"

namespace datasync::capture {

/// Once in an epoch, a little at each look. What is left of former epochs would be read by every agent at each start.
void StateKeeper::tidy(std::stop_token stop) {
  const std::scoped_lock lock(state_mutex_);
  const auto done = writer_.tidy(options_.streams, std::move(stop));
  if (done)
    tidied_ = *done;
  else
    base::log::debug("old records stay on the state topic for now", {{"message", std::string_view(done.error().what)}});
}

/// Each definition that a table ever had was kept for good, and read by every agent at its start. One is needed as long
/// as the streams have rows of it. The names of its columns are kept: a destination may have them still.
void StateKeeper::tidy_schemas(std::stop_token stop) {
  tidy_schemas_ = options_.now() + options_.tidy_every;
  if (!options_.former_are_gone || !options_.former_are_gone()) return;
  const std::scoped_lock lock(state_mutex_);
  const auto done = remove_old_schemas(std::move(stop));
  if (done && !*done) tidy_schemas_ = options_.now();  // the rest at the next look
  if (!done)
    base::log::debug("old schemas stay on the state topic for now", {{"message", std::string_view(done.error().what)}});
}

/// The choice and the end of "it is on the topic" are one step for the dump thread: a schema that it uses before is
/// kept, and for one that it uses after, it waits here and writes it again if it was removed.
base::Result<bool> StateKeeper::remove_old_schemas(std::stop_token stop) {
  DS_TRY(writer_.check(stop));
  std::vector<protocol::StateView::OldSchemas> old;
  {
    const std::scoped_lock lock(known_mutex_);
    old = view_.old_schemas(used_);
    if (!old.empty()) std::erase_if(on_topic_, [this](auto id) { return !used_.contains(id); });
  }
  return writer_.remove_schemas(old, std::move(stop));
}

/// Also writes schemas of this epoch again that are missing: an instance of an earlier epoch may have removed one after
/// this one had begun, and a removal whose acknowledgement was lost may come late.
base::Result<void> StateKeeper::learn_schemas(std::stop_token stop) {
  std::vector<message::TableSchema> missing;
  {
    const std::scoped_lock lock(known_mutex_);
    if (known_.size() != view_.schemas().size()) known_ = view_.schemas();
    for (const auto id : used_)
      if (const auto at = known_.find(id); at != known_.end() && on_topic_.contains(id) && !view_.on_topic(id))
        missing.push_back(at->second);
  }
  for (const auto& schema : missing) DS_TRY(writer_.write(schema, stop));
  return {};
}

}  // namespace datasync::capture
