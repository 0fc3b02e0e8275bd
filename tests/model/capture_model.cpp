#include "tests/model/capture_model.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/protocol/acks.hpp"
#include "agents/protocol/capture_epoch.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::model {
namespace {

using Phase = CaptureInstance::Phase;
using Verdict = protocol::ReaderRule::Verdict;

constexpr int kFinishes = 3;
constexpr std::uint8_t kNoOwner = 255;

std::uint8_t small(std::size_t n) {
  return static_cast<std::uint8_t>(n);
}
void put_number(std::string& key, std::size_t n) {
  key += static_cast<char>(n);
}

/// Who claims matters only to itself.
StateRecord nameless(StateRecord r) {
  r.instance = 0;
  return r;
}

std::string wires(const CaptureInstance& c) {
  std::string key;
  put_number(key, c.wire.size());
  for (const auto& r : c.wire) put(key, r);
  put_number(key, c.state_wire ? 1 : 0);
  if (c.state_wire) put(key, nameless(*c.state_wire));
  return key;
}

std::string whole(const CaptureInstance& c) {
  auto key = wires(c);
  for (const auto n : {small(static_cast<std::size_t>(c.phase)), c.epoch, c.tries, c.start, c.published})
    put_number(key, n);
  put(key, c.origin);
  put(key, c.written);
  put_number(key, c.landed.size());
  for (const auto offset : c.landed) put_number(key, offset);
  return key;
}

/// Instances are alike: their order is of no account.
std::string sorted(std::vector<std::string> parts) {
  std::ranges::sort(parts);
  std::string key;
  for (const auto& part : parts) key += part;
  return key;
}

}  // namespace

CaptureModel::Keyed CaptureModel::keyed(const CaptureState& s) {
  Keyed out{s, {}, 0};
  auto& key = out.text;
  put_number(key, s.facts->highest);
  for (const auto owner : s.facts->owner) put_number(key, owner == kNoOwner ? 0 : 1);
  put(key, s.facts->checkpoint);
  put_number(key, s.stream.size());
  for (const auto& r : s.stream) put(key, r);
  std::vector<std::string> parts;
  for (const auto& c : s.instances) parts.push_back(wires(c));
  key += sorted(std::move(parts));
  out.shared_length = key.size();
  parts.clear();
  for (const auto& c : s.instances) parts.push_back(whole(c));
  key += sorted(std::move(parts));
  return out;
}

// The real StateView, asked once per log.
const Facts* CaptureModel::facts(const std::vector<StateRecord>& state_log) {
  std::string key;
  for (const auto& r : state_log) put(key, r);
  const auto [at, fresh] = facts_.try_emplace(std::move(key));
  auto& out = at->second;
  if (!fresh) return &out;
  protocol::StateView view;
  for (std::size_t i = 0; i < state_log.size(); ++i)
    if (!view.see(real(state_log[i], static_cast<protocol::Offset>(i)))) std::abort();
  out.highest = small(view.highest_claim().value());
  out.owner.assign(out.highest + std::size_t{1}, kNoOwner);
  for (std::size_t e = 1; e < out.owner.size(); ++e)
    if (const auto name = view.owner(message::Epoch(e)); !name.empty()) out.owner[e] = small(std::stoul(name));
  if (const auto c = view.checkpoint(0))
    out.checkpoint = {false, small(c->epoch.value()), 0, small(static_cast<std::size_t>(c->offset)),
                      newest_of(c->published)};
  if (mutation_.newest_checkpoint_believed)
    for (const auto& r : state_log)
      if (!r.claim) out.checkpoint = r;
  return &out;
}

void CaptureModel::claim(CaptureState& s, std::size_t i) {
  auto& c = s.instances[i];
  c.epoch = small(s.facts->highest + std::size_t{1});
  c.state_wire = StateRecord{true, c.epoch, small(i), 0, 0};
  c.phase = Phase::Claiming;
  ++c.tries;
}

/// The claim has landed: it starts, or has lost.
void CaptureModel::settle_claim(CaptureState& s, std::size_t i) {
  auto& c = s.instances[i];
  const auto& f = *s.facts;
  if (f.highest > c.epoch) {
    c.phase = Phase::Over;
  } else if (f.owner[c.epoch] != i && !mutation_.claim_race_unsettled) {
    c.phase = c.tries < limits_.tries ? Phase::Idle : Phase::Over;
  } else {
    c.origin = f.checkpoint;
    c.wire.push_back({c.epoch, 0, 0, false});
    c.phase = Phase::Starting;
  }
}

/// The start has landed.
void CaptureModel::recover(CaptureState& s, std::size_t i) {
  auto& c = s.instances[i];
  c.start = small(s.stream.size() - 1);
  Rule rule(message::Epoch(c.origin.epoch), mutation_);
  protocol::PublishedFold fold(published_set(c.origin.published));
  for (std::size_t at = c.origin.offset; at < c.start; ++at) {
    const auto verdict = rule.see(s.stream[at]);
    if (verdict == Verdict::NewEpoch && rule.epoch().value() > c.epoch) {
      c.phase = Phase::Over;
      return;
    }
    if (verdict != Verdict::Take) continue;
    const auto taken = fold.take(headers_of(s.stream[at]), base::as_bytes(value_of(s.stream[at].transaction)));
    if (!taken) std::abort();
  }
  c.published = newest_of(fold.published());
  c.written = {false, c.epoch, 0, small(c.start + std::size_t{1}), c.published};
  c.state_wire = c.written;
  c.wire = plan(c);
  c.origin = {};
  c.phase = Phase::Running;
}

/// What it will send: every fragment behind what is published.
std::vector<StreamRecord> CaptureModel::plan(const CaptureInstance& c) const {
  std::vector<StreamRecord> out;
  for (std::size_t t = c.published; t < limits_.source.size(); ++t)
    for (std::uint8_t f = 0; f < limits_.source[t]; ++f)
      out.push_back({c.epoch, small(t + 1), f, f + 1 == limits_.source[t]});
  return out;
}

/// The checkpoint it would write now, by the real AckTracker.
StateRecord CaptureModel::position(const CaptureInstance& c) const {
  protocol::AckTracker acks({published_set(c.published)}, {c.start + 1});
  protocol::AckTracker hopes({published_set(c.published)}, {c.start + 1});
  const auto records = plan(c);
  for (std::size_t n = 0; n < records.size(); ++n) {
    const auto end = records[n].last ? message::End::Transaction : message::End::None;
    const auto token = acks.sent(0, end, gtid_of(records[n].transaction));
    hopes.acknowledged(hopes.sent(0, end, gtid_of(records[n].transaction)), 0);
    if (n < c.landed.size()) acks.acknowledged(token, c.landed[n]);
  }
  const auto progress = acks.progress(0);
  const auto published = mutation_.position_before_acknowledgement ? hopes.progress(0).published : progress.published;
  return {false, c.epoch, 0, small(static_cast<std::size_t>(progress.next_offset)), newest_of(published)};
}

void CaptureModel::land(CaptureState& s, std::size_t i) {
  auto& c = s.instances[i];
  const bool start = c.wire.front().transaction == 0;
  s.stream.push_back(c.wire.front());
  c.wire.erase(c.wire.begin());
  if (c.phase == Phase::Over) return;
  if (start)
    recover(s, i);
  else
    c.landed.push_back(small(s.stream.size() - 1));
}

void CaptureModel::land_state(CaptureState& s, std::size_t i) {
  auto& c = s.instances[i];
  const bool claim = c.state_wire->claim;
  s.state_log.push_back(*c.state_wire);
  s.facts = facts(s.state_log);
  c.state_wire.reset();
  if (c.phase != Phase::Over && claim) settle_claim(s, i);
}

void CaptureModel::steps(const CaptureState& state, std::size_t i, const Emit& emit) {
  const auto& c = state.instances[i];
  if (!c.wire.empty()) {
    auto s = state;
    land(s, i);
    emit(Step::Lands, s);
  }
  if (c.state_wire) {
    auto s = state;
    land_state(s, i);
    emit(Step::StateLands, s);
  }
  if (c.phase == Phase::Idle) {
    auto s = state;
    claim(s, i);
    emit(Step::Claims, s);
  }
  if (c.phase != Phase::Running || c.state_wire) return;
  const auto now = position(c);
  if (now.offset == c.written.offset && now.published == c.written.published) return;
  auto s = state;
  s.instances[i].written = now;
  s.instances[i].state_wire = now;
  emit(Step::Writes, s);
}

std::string CaptureModel::description(Step step, const CaptureState& before, std::size_t i) const {
  const auto& c = before.instances[i];
  const auto name = static_cast<char>('A' + i);
  switch (step) {
    case Step::Lands:
      return fmt::format("{}'s {} lands at {}", name, text(c.wire.front()), before.stream.size());
    case Step::StateLands:
      return fmt::format("{}'s {} lands", name, text(*c.state_wire));
    case Step::Claims:
      return fmt::format("{} claims {}", name, before.facts->highest + 1);
    case Step::Writes:
      return fmt::format("{} writes {}", name, text(position(c)));
  }
  return {};
}

/// One instance left alone must bring everything over, whatever becomes of what the others had on their way: it is
/// lost, it lands before, or it lands in the middle.
std::optional<std::string> CaptureModel::finish(CaptureState s, int variant) {
  const auto n = s.instances.size();
  for (auto& c : s.instances) c.phase = Phase::Over;
  s.instances.emplace_back();
  const auto land_all = [&] {
    for (std::size_t i = 0; i < n; ++i) {
      while (!s.instances[i].wire.empty()) land(s, i);
      if (s.instances[i].state_wire) land_state(s, i);
    }
  };
  if (variant == 1) land_all();
  claim(s, n);
  land_state(s, n);
  if (s.instances[n].phase != Phase::Starting) return "left alone, an instance cannot start";
  land(s, n);
  if (s.instances[n].phase != Phase::Running) return "left alone, an instance cannot recover";
  if (variant == 2) land_all();
  while (!s.instances[n].wire.empty()) land(s, n);
  auto reading = read_all(s.stream, mutation_);
  if (!reading.violation && reading.applied.size() != limits_.source.size())
    reading.violation =
        fmt::format("lost: {} of {} transactions arrive", reading.applied.size(), limits_.source.size());
  if (!reading.violation) return std::nullopt;
  return fmt::format("{} (when one instance is left alone, variant {})", *reading.violation, variant);
}

std::optional<std::string> CaptureModel::check(const Keyed& state) {
  if (!judged_.insert(Digest(state.text.substr(0, state.shared_length))).second) return std::nullopt;
  auto wrong = read_all(state.stream, mutation_).violation;
  for (int variant = 0; variant < kFinishes && !wrong; ++variant) wrong = finish(state, variant);
  std::string stream_key;
  for (const auto& r : state.stream) put(stream_key, r);
  if (known_streams_.insert(Digest(stream_key)).second) streams_.push_back(state.stream);
  return wrong;
}

Found CaptureModel::run() {
  CaptureState empty;
  empty.instances.resize(static_cast<std::size_t>(limits_.instances));
  empty.facts = facts(empty.state_log);
  const auto initial = keyed(empty);
  const auto next = [this](const Keyed& state, const auto& emit) {
    bool idle_seen = false;
    for (std::size_t i = 0; i < state.instances.size(); ++i) {
      const bool unused = state.instances[i].tries == 0;
      if (unused && std::exchange(idle_seen, true)) continue;  // the same step as the one before it
      steps(state, i, [&](Step step, const CaptureState& after) {
        emit([&] { return description(step, state, i); }, keyed(after));
      });
    }
  };
  return explore(initial, limits_.most_states, next, [this](const Keyed& s) { return check(s); });
}

}  // namespace datasync::model
