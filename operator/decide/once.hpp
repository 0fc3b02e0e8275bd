#pragma once
// Between the files of this layer: `mode: Once` that has completed, and stays so.

#include "operator/decide/decide.hpp"

namespace datasync::decide {

/// What is known of the run of a resource with `mode: Once`. It has completed when the status or a Deployment has a
/// record of it, or when all agents say so. The record is in both, so that the loss of one copies nothing again.
Once once_of(const Observed& seen);

}  // namespace datasync::decide
