#pragma once
// The engines that this version has: the one place that knows all of them.

#include <memory>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"

namespace datasync::apply {

/// The engine that the configuration names. Errors: ConfigInvalid.
base::Result<std::unique_ptr<DestinationEngine>> make_engine(config::Engine engine);

}  // namespace datasync::apply
