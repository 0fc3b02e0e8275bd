#pragma once
// Objects in the cache as text: a parsed object takes five times the memory, and few are looked at at once.

#include "operator/kube/api.hpp"

namespace datasync::reconcile {

using kube::Json;

/// For runtime::Informer: keeps what the informer and its index need and puts the rest, without managedFields, into
/// text.
void pack(Json& object);
/// The object as it came. Precondition: packed.
Json unpack(const Json& packed);

}  // namespace datasync::reconcile
