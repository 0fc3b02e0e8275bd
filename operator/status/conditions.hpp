#pragma once
// Conditions as Kubernetes wants them (metav1.Condition) and as kstatus reads them.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "operator/desired/names.hpp"

namespace datasync::status {

using desired::Json;
using Time = std::chrono::sys_seconds;

struct Condition {
  std::string type;
  bool status = false;
  std::string reason;
  std::string message;  ///< cut to what the API takes
};

/// Puts the condition into the list in place of the one of its type. lastTransitionTime stays while the status does.
void set_condition(Json& conditions, const Condition& condition, std::int64_t generation, Time now);

/// The condition of a type, or null.
const Json* find_condition(const Json& conditions, std::string_view type);

/// As in "2026-01-31T12:00:00Z".
std::string to_text(Time time);

}  // namespace datasync::status
