#include "cli/local/view.hpp"

#include <algorithm>

namespace datasync::cli {

Once once_state(const std::vector<const AgentView*>& agents_of_task) {
  if (agents_of_task.empty()) return Once::Running;
  const auto differs = [](const AgentView* a) {
    return a->reason == "VerifyFailed" || (a->verify && a->verify->done && !a->verify->different.empty());
  };
  if (std::ranges::any_of(agents_of_task, differs)) return Once::Failed;
  const auto completed = [](const AgentView* a) {
    return a->state == "Completed" && (a->agent != "apply" || (a->verify && a->verify->done));
  };
  return std::ranges::all_of(agents_of_task, completed) ? Once::Done : Once::Running;
}

}  // namespace datasync::cli
