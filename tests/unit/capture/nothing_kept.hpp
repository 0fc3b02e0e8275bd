#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/capture/stream/definitions.hpp"

namespace datasync::capture {

/// A store of definitions that keeps none. `place`: what was read so far.
inline DefinitionStore nothing_kept(std::function<message::GtidSet()> place = [] { return message::GtidSet(); }) {
  return {std::move(place), [](const TableChoice&, const message::GtidSet&) { return std::nullopt; },
          [](const message::Definition&) { return base::Result<void>(); },
          [](const TableChoice&, const std::vector<std::string>&) { return std::nullopt; },
          [] { return std::uint64_t{0}; }};
}

}  // namespace datasync::capture
