#pragma once

#include <filesystem>
#include <functional>

#include "tests/cluster/environment.hpp"
#include "tests/cluster/sandbox.hpp"

namespace datasync::test {

/// True with $KUBECONFIG_A and $KUBECONFIG_B set: the tests run on existing clusters. Throws when only one is.
bool clusters_are_given();

/// The images for the environment: built by tools/images when they are not there yet, or those of $CLUSTER_IMAGES
/// ("REPOSITORY:TAG"), which given clusters pull (`tools/images --push`, under one tag) and ours load from the files in
/// $CLUSTER_ARCHIVES.
/// Starts no thread, so that a sandbox can be made afterwards.
Images images_for_clusters();

/// Calls `body` with the images, in a sandbox for clusters of ours, or with null for clusters that are given; both with
/// a folder that goes at the end, and in a process of its own: however that ends, also by Ctrl-C, nothing is left in
/// the clusters. Returns what it returned. To be called before any thread is started.
int with_clusters(const std::function<int(const Sandbox*, const std::filesystem::path& folder, const Images&)>& body);

}  // namespace datasync::test
