#pragma once

#include "tests/cluster/scene.hpp"

namespace datasync::test {

/// True with $KUBECONFIG_A and $KUBECONFIG_B set: the scene plays on clusters that are there. Throws when only one is.
bool clusters_are_given();

/// The images for the scene: built by tools/images when they are not there yet; for given clusters those of
/// $CLUSTER_IMAGES ("REPOSITORY:TAG", as `tools/images --push` put them there), under one tag.
/// Starts no thread, so that a sandbox can be made afterwards.
Images images_for_clusters();

}  // namespace datasync::test
