// What answers on /status in an agent's place: whatever the bytes, reading ends, and what the operator makes of them
// for a resource's status is small and can be printed. Input: the body of the answer.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "operator/decide/agent_view.hpp"
#include "operator/status/figures.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace datasync;
  constexpr std::size_t kLargest = 128 * 1024;
  decide::AgentView view;
  if (!decide::read_status(std::string_view(reinterpret_cast<const char*>(data), size), view)) return 0;
  const auto section = status::agent_section(view);
  if (section.dump().size() > kLargest) std::abort();
  (void)status::without_figures({{"apply", section}});
  return 0;
}
