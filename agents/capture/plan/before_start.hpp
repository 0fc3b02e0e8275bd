#pragma once
// What streams have to know of transactions before their beginning (see source::Engine::before_start), as the state
// topic keeps it for later epochs: a served request for each text.

#include <set>
#include <string>
#include <vector>

namespace datasync::capture {

/// The id of the request that keeps a text of the engine: "before/0-1-12/15".
std::string before_start_id(const std::string& text);
/// The texts that the state topic keeps.
std::vector<std::string> kept_before_start(const std::set<std::string>& served_requests);

}  // namespace datasync::capture
