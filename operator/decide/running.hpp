#pragma once
// Between the files of this layer: what is to be kept for the pods that run.

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// What the pods and the Deployments that are there ask of the objects that are wanted.
desired::Running running_of(const Seen& seen);

}  // namespace datasync::decide
