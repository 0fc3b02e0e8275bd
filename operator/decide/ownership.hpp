#pragma once
// Which installation manages a resource.

#include <optional>

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// What to note when another installation manages the resource; nothing when it is ours.
std::optional<Note> managed_elsewhere(const Observed& seen);
/// Of an installation's Lease: the namespaces that it watches, by comma; empty: all.
inline constexpr std::string_view kNamespaces = "datasync.dev/namespaces";
/// The installation with this Lease does not watch the namespace: what it managed there before is free.
bool is_unwatched(const Json& lease, std::string_view ns);

/// Status names us.
bool claimed(const Observed& seen);

}  // namespace datasync::decide
