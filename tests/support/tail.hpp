#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace datasync::test {

/// The last `most` bytes of a log, for messages; empty when it is not there.
inline std::string tail_of(const std::filesystem::path& log, std::size_t most = 4000) {
  auto text = read_file(log);
  return text.size() > most ? text.substr(text.size() - most) : text;
}

}  // namespace datasync::test
