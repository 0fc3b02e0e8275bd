#pragma once
// Between the files of this layer: the end of a resource.

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// For so long after its deletion a resource waits for its cleanup; then it goes without.
inline constexpr std::chrono::seconds kCleanupLimit{600};

/// The plan for a resource that is being deleted.
Plan decide_end(const Seen& seen);

}  // namespace datasync::decide
