#include "tests/model/apply_model.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::model {
namespace {

using Phase = ApplyInstance::Phase;
using Verdict = protocol::ReaderRule::Verdict;

std::uint8_t small(std::size_t n) {
  return static_cast<std::uint8_t>(n);
}

void put(std::string& key, std::initializer_list<std::uint8_t> numbers) {
  for (const auto n : numbers) key += static_cast<char>(n);
}
void put(std::string& key, const std::vector<std::uint8_t>& list) {
  put(key, {small(list.size())});
  for (const auto n : list) put(key, {n});
}

}  // namespace

std::string ApplyState::key() const {
  std::string key;
  put(key, {ledger.token, ledger.offset, ledger.epoch, ledger.published, small(violation ? 1 : 0)});
  put(key, ledger.applied);
  std::vector<std::string> parts;
  for (const auto& a : instances) {
    auto& part = parts.emplace_back();
    // Position and boundary show what the gatherer holds.
    put(part,
        {static_cast<std::uint8_t>(a.phase), a.token, a.position, a.epoch, a.boundary, a.boundary_epoch, a.committed});
    put(part, a.batch);
  }
  std::ranges::sort(parts);
  for (const auto& part : parts) key += part;
  return key;
}

ApplyModel::ApplyModel(std::vector<StreamRecord> stream, int instances, Mutation mutation)
    : stream_(std::move(stream)),
      instances_(instances),
      mutation_(mutation),
      wanted_(read_all(stream_, mutation).applied) {}

/// Under the lock of the ledger's row.
void ApplyModel::take_over(ApplyState& s, ApplyInstance& a) const {
  auto& l = s.ledger;
  a = {};
  a.phase = Phase::Running;
  a.token = ++l.token;
  a.position = a.boundary = a.committed = l.offset;
  a.epoch = a.boundary_epoch = l.epoch;
}

bool ApplyModel::read(ApplyInstance& a) const {
  if (a.position >= stream_.size()) return false;
  const auto& record = stream_[a.position++];
  Rule rule(message::Epoch(a.epoch), mutation_);
  const auto verdict = rule.see(record);
  a.epoch = small(rule.epoch().value());
  if (verdict == Verdict::NewEpoch) a.gatherer.discard();
  if (verdict == Verdict::Take) {
    if (const auto whole = a.gatherer.take(record); whole != 0) a.batch.push_back(whole);
  }
  if (!a.gatherer.open()) {
    a.boundary = a.position;
    a.boundary_epoch = a.epoch;
  }
  return true;
}

/// Rows and ledger in one transaction; the ledger's row is written `where token = mine`.
void ApplyModel::commit(ApplyState& s, ApplyInstance& a) const {
  auto& l = s.ledger;
  if (a.token != l.token && !mutation_.token_unchecked) {
    a = {};
    a.phase = Phase::Over;
    return;
  }
  for (const auto transaction : a.batch) {
    if (transaction <= l.published) s.violation = fmt::format("the ledger already has transaction {}", transaction);
    l.applied.push_back(transaction);
    l.published = transaction;
  }
  a.batch.clear();
  l.offset = a.committed = a.boundary;
  l.epoch = a.boundary_epoch;
}

std::optional<std::string> ApplyModel::check(const ApplyState& state) const {
  if (state.violation) return state.violation;
  if (auto wrong = not_a_prefix(state.ledger.applied)) return wrong;
  // Left alone, one more instance must bring the rest over.
  auto s = state;
  auto& last = s.instances.emplace_back();
  take_over(s, last);
  while (read(last)) {
  }
  commit(s, last);
  if (s.violation) return s.violation;
  if (s.ledger.applied == wanted_) return std::nullopt;
  return fmt::format("left alone, an instance ends with {}, not {}", fmt::join(s.ledger.applied, ","),
                     fmt::join(wanted_, ","));
}

Found ApplyModel::run() {
  ApplyState initial;
  initial.instances.resize(static_cast<std::size_t>(instances_));
  const auto next = [this](const ApplyState& state, const auto& emit) {
    for (std::size_t i = 0; i < state.instances.size(); ++i) {
      const auto name = static_cast<char>('P' + i);
      const auto& before = state.instances[i];
      auto s = state;
      auto& a = s.instances[i];
      if (before.phase == Phase::Idle) {
        take_over(s, a);
        emit([&] { return fmt::format("{} takes over with token {}", name, a.token); }, s);
        break;  // instances are alike
      }
      if (before.phase == Phase::Over) continue;
      if (read(a)) emit([&] { return fmt::format("{} reads {}", name, text(stream_[before.position])); }, s);
      if (before.boundary == before.committed) continue;
      s = state;
      commit(s, a);
      emit([&] { return fmt::format("{} commits up to offset {}", name, before.boundary); }, s);
    }
  };
  return explore(initial, 1'000'000, next, [this](const ApplyState& s) { return check(s); });
}

}  // namespace datasync::model
