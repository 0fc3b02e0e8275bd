#include "operator/status/conditions.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>

#include "agents/base/text.hpp"

namespace datasync::status {
namespace {

constexpr std::size_t kLongestMessage =
    16'384;  // the API takes 32768; a message has the statements that it says to run

}  // namespace

std::string to_text(Time time) {
  // Not by system_clock: it counts nanoseconds, and the year 9999 is beyond them.
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(time.time_since_epoch().count())));
}

const Json* find_condition(const Json& conditions, std::string_view type) {
  if (!conditions.is_array()) return nullptr;
  const auto at =
      std::ranges::find_if(conditions, [&](const Json& c) { return c.is_object() && c.value("type", Json()) == type; });
  return at == conditions.end() ? nullptr : &*at;
}

void set_condition(Json& conditions, const Condition& condition, std::int64_t generation, Time now) {
  if (!conditions.is_array()) conditions = Json::array();
  const char* status = condition.status ? "True" : "False";
  auto since = to_text(now);
  const auto same = [&](const Json& c) { return c.is_object() && c.value("type", Json()) == condition.type; };
  auto at = std::ranges::find_if(conditions, same);
  if (at != conditions.end() && at->value("status", Json()) == status && at->contains("lastTransitionTime"))
    if (const auto& before = at->at("lastTransitionTime"); before.is_string()) since = before.get<std::string>();
  Json made{{"type", condition.type},      {"status", status},
            {"reason", condition.reason},  {"message", base::cut_middle(condition.message, kLongestMessage)},
            {"lastTransitionTime", since}, {"observedGeneration", generation}};
  if (at == conditions.end()) {
    conditions.push_back(std::move(made));
  } else {
    *at = std::move(made);
  }
}

}  // namespace datasync::status
