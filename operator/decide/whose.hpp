#pragma once
// Between the files of this layer: which installation manages a resource.

#include <optional>

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// What to note when another installation manages the resource; nothing when it is ours.
std::optional<Note> managed_elsewhere(const Seen& seen);
/// Status names us.
bool claimed(const Seen& seen);

}  // namespace datasync::decide
