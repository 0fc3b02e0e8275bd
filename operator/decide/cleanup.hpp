#pragma once
// Between the files of this layer: the end of a resource.

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// The plan for a resource that is being deleted.
Plan decide_end(const Observed& seen);

}  // namespace datasync::decide
