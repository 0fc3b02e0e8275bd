#pragma once
// Which stream a resource captures into. Two captures of one stream would take it from each other for ever.

#include <string>
#include <vector>

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// Brokers and topic that a resource as the server gave it captures into; empty: it has no source.
std::string wanted_stream(const Json& resource);
/// Those that its capture Deployment has among these children; empty: there is none.
std::string running_stream(const std::vector<Json>& children, const desired::Owner& owner);
/// The resource whose stream it is; null when it is ours. Who runs keeps it, then the older one has it.
const TopicConflict* stream_holder(const Observed& seen);

}  // namespace datasync::decide
