#pragma once

#include "tests/cluster/scene.hpp"

namespace datasync::test {

/// True with $KUBECONFIG_A and $KUBECONFIG_B set: the scene plays on clusters that are there. Throws when only one is.
bool clusters_are_given();

/// The images for the scene: built by tools/images when they are not there yet, or those of $CLUSTER_IMAGES
/// ("REPOSITORY:TAG"), which given clusters pull (`tools/images --push`, under one tag) and ours load from the files in
/// $CLUSTER_ARCHIVES.
/// Starts no thread, so that a sandbox can be made afterwards.
Images images_for_clusters();

}  // namespace datasync::test
