#pragma once
// The name of a capture agent on the topics; it identifies the owner of a claim.

#include <string>
#include <string_view>

namespace datasync::message {

/// Returns "TASK@PROCESS". A task is "namespace/name" and contains no @.
inline std::string instance_of(std::string_view task, std::string_view process) {
  return std::string(task) + "@" + std::string(process);
}

/// Returns the task of an instance named in a claim or a start record; empty when it names none.
inline std::string_view task_of(std::string_view instance) {
  const auto at = instance.find('@');
  return at == std::string_view::npos ? std::string_view() : instance.substr(0, at);
}

}  // namespace datasync::message
