#pragma once
// Wishes that tables are copied again: of the resource's annotation, and of readers through the state topic. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/capture/plan/selection.hpp"
#include "agents/config/config.hpp"
#include "agents/message/record.hpp"

namespace datasync::capture {

/// What `copyTables` of capture's own configuration asks for; nothing when it is empty. Each value is a request of its
/// own, so that the state topic remembers which ones were served.
std::optional<message::Request> own_request(const config::Capture& config);

/// The tables of a request. One without tables means all that are captured.
struct Requested {
  std::vector<const TableChoice*> tables;  ///< of `selection`, each once
  std::vector<std::string> absent;         ///< names that are not captured
};
Requested resolve(const message::Request& request, const Selection& selection);

}  // namespace datasync::capture
