#include "agents/config/instance.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "agents/base/program.hpp"

namespace datasync::config {
namespace {

constexpr std::size_t kLongest = 200;

std::string_view from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// Claims on the state topic are named TASK@INSTANCE/BITS, so the name must not contain '/' or '@'.
std::string plain(std::string name) {
  std::ranges::replace_if(
      name, [](char c) { return c == '/' || c == '@' || c <= ' ' || c > '~'; }, '-');
  return name.substr(0, kLongest);
}

}  // namespace

std::string instance_of(const Common& common) {
  if (!common.instance.empty()) return plain(common.instance);
  if (const auto uid = from_environment(kPodUid); !uid.empty())
    return plain(fmt::format("{}:{}", uid, from_environment(kPodName)));
  return plain(base::process_name());
}

}  // namespace datasync::config
