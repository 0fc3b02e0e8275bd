#pragma once
// How a capture names itself on the topics: claims tell whose they are.

#include <string>
#include <string_view>

namespace datasync::message {

/// "TASK@PROCESS". A task is "namespace/name" and has no @.
inline std::string instance_of(std::string_view task, std::string_view process) {
  return std::string(task) + "@" + std::string(process);
}

/// The task of an instance as a claim or a start spells it; empty: it names none.
inline std::string_view task_of(std::string_view instance) {
  const auto at = instance.find('@');
  return at == std::string_view::npos ? std::string_view() : instance.substr(0, at);
}

}  // namespace datasync::message
