#pragma once

#include <filesystem>

namespace datasync::test {

/// An archive with the image kPauseImage: one program that holds a pod's namespaces and ends at SIGTERM. Debian has
/// none, so it is compiled, once.
std::filesystem::path pause_image();

}  // namespace datasync::test
