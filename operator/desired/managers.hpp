#pragma once
// Who the API server thinks of as the owner of a field: metadata.managedFields.

#include <optional>

#include "operator/desired/names.hpp"

namespace datasync::desired {

/// Under which the operator applies objects: the same in every installation and version. A field that an applier no
/// longer names is removed only if the same name applied it before.
inline constexpr std::string_view kFieldManager = "datasync-operator";

/// The entries of those that applied the object under a name of version 0.1.0, "datasync-operator/INSTALLATION",
/// without their fields; empty: there are none. `managed_fields` may be of any shape.
Json former_managers(const Json& managed_fields);

/// Whether `former_managers` finds some in the object.
bool has_former_manager(const Json& object);

/// `managed_fields` with all that former names own given to ours, as client-go's csaupgrade does: from then on our
/// apply removes what it does not name. Nothing when there are none.
std::optional<Json> taken_over(const Json& managed_fields);

}  // namespace datasync::desired
