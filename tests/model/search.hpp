#pragma once
// Breadth-first search over every state that a model can reach.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace datasync::model {

/// Stands for a key: 128 bits, so that two of a few million keys never meet.
struct Digest {
  std::size_t first = 0, second = 0;
  explicit Digest(std::string_view key) : first(std::hash<std::string_view>{}(key)) {
    second = 0xcbf29ce484222325U;
    for (const auto c : key) second = (second ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  bool operator==(const Digest&) const = default;
};
struct DigestHash {
  std::size_t operator()(const Digest& d) const noexcept { return d.first; }
};
using DigestSet = std::unordered_set<Digest, DigestHash>;

struct Found {
  std::size_t states = 0;
  bool complete = false;                 ///< every reachable state was seen
  std::optional<std::string> violation;  ///< what went wrong in the first bad state,
  std::vector<std::string> trace;        ///< and the shortest way there
};

/// Explores from `initial`. A State has `key()`, equal for equal states. `next(state, emit)` calls emit(label, after)
/// for every step, in the same order each time; `label()` is only asked for on the way to a violation. `check(state)`
/// says what is wrong with a state.
template <class State, class Next, class Check>
Found explore(const State& initial, std::size_t most_states, Next next, Check check) {
  struct Node {
    std::uint32_t parent;
    std::uint16_t step;  ///< which of the parent's steps leads here
  };
  Found found;
  DigestSet seen;
  std::vector<Node> nodes;
  std::deque<std::pair<std::uint32_t, State>> frontier;
  std::optional<std::uint32_t> bad;
  const auto visit = [&](std::uint32_t parent, std::uint16_t step, const State& state) {
    if (bad || !seen.insert(Digest(state.key())).second) return;
    const auto id = static_cast<std::uint32_t>(nodes.size());
    nodes.push_back({parent, step});
    found.violation = check(state);
    if (found.violation)
      bad = id;
    else
      frontier.emplace_back(id, state);
  };
  visit(0, 0, initial);
  while (!frontier.empty() && !bad && nodes.size() < most_states) {
    const auto [id, state] = std::move(frontier.front());
    frontier.pop_front();
    std::uint16_t step = 0;
    next(state, [&](const auto&, const State& after) { visit(id, step++, after); });
  }
  found.states = nodes.size();
  found.complete = frontier.empty() && !bad;
  std::vector<std::uint16_t> way;
  for (auto at = bad.value_or(0); at != 0; at = nodes[at].parent) way.insert(way.begin(), nodes[at].step);
  auto here = initial;
  for (const auto wanted : way) {
    std::uint16_t step = 0;
    auto there = here;
    next(here, [&](const auto& label, const State& after) {
      if (step++ != wanted) return;
      found.trace.push_back(label());
      there = after;
    });
    here = std::move(there);
  }
  return found;
}

}  // namespace datasync::model
