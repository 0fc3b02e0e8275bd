#pragma once
// The engines that this version has: the one place that knows all of them.

#include <cstdint>
#include <memory>

#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/source/source.hpp"

namespace datasync::source {

/// The engine that the configuration names. `config` must outlive it. `max_row`: bytes of the largest row to hold.
/// Errors: ConfigInvalid.
base::Result<std::unique_ptr<Engine>> make_engine(const config::Capture& config, std::uint64_t max_row);

}  // namespace datasync::source
