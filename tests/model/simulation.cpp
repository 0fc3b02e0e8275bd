#include "tests/model/simulation.hpp"

#include <algorithm>
#include <utility>

namespace datasync::model {
namespace {

base::Error killed() {
  return {base::Reason::Stopping, "killed"};
}

constexpr unsigned kAcknowledgedPercent = 50;
constexpr std::size_t kUnacknowledgedOneIn = 400;

}  // namespace

Simulation::Simulation(std::uint64_t seed, std::int32_t count)
    : random(seed), streams(count), source(random_source(random, count)), logs_(static_cast<std::size_t>(count)) {}

bool Simulation::turn(Process& p) {
  if (!p.killed && (calm || chance(random, 40))) p.fiber->pause();
  return !p.killed;
}

std::uint64_t Simulation::open_channel(Process& p) {
  p.channels.insert(++next_channel_);
  return next_channel_;
}

ParcelPtr Simulation::post(std::uint64_t channel, Parcel parcel) {
  auto out = std::make_shared<Parcel>(std::move(parcel));
  auto& waiting = channels_[channel];
  waiting.push_back(out);
  if (calm) land(waiting);
  return out;
}

base::Result<protocol::Offset> Simulation::post_and_wait(Process& p, Parcel parcel) {
  if (!turn(p)) return killed();
  const auto sent = post(open_channel(p), std::move(parcel));
  for (;;) {
    if (!turn(p)) return killed();
    if (sent->landed && (calm || chance(random, kAcknowledgedPercent))) return sent->offset;
    if (!calm && below(random, kUnacknowledgedOneIn) == 0)
      return base::Error(base::Reason::BrokerUnreachable, "no acknowledgement: outcome unknown");
  }
}

void Simulation::land(std::deque<ParcelPtr>& channel) {
  const auto p = channel.front();
  channel.pop_front();
  p->landed = true;
  if (p->to_state) {
    p->offset = static_cast<protocol::Offset>(state_.size());
    state_.push_back(protocol::StateRecord{p->offset, p->headers.kind, p->key, p->value, p->removed});
  } else {
    auto& log = logs_[static_cast<std::size_t>(p->stream)];
    p->offset = static_cast<protocol::Offset>(log.size());
    log.push_back({p->headers, p->value});
  }
}

void Simulation::land_some() {
  std::erase_if(channels_, [](const auto& entry) { return entry.second.empty(); });
  if (channels_.empty()) return;
  auto at = channels_.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(below(random, channels_.size())));
  const auto most = 1 + below(random, 4);
  for (std::size_t i = 0; i < most && !at->second.empty(); ++i) land(at->second);
}

void Simulation::land_all() {
  while (std::ranges::any_of(channels_, [](const auto& entry) { return !entry.second.empty(); })) land_some();
}

void Simulation::lose_all() {
  channels_.clear();
}

void Simulation::lose(const Process& p) {
  for (const auto channel : p.channels) channels_.erase(channel);
}

void Simulation::compact() {
  std::set<std::string> newer;
  for (auto i = below(random, state_.size() + 1); i-- > 0;) {  // what is behind is not looked at yet
    if (!state_[i]) continue;
    const bool newest = newer.insert(state_[i]->key).second;
    if (!newest || (state_[i]->removed && chance(random, 30))) state_[i].reset();
  }
}

void Simulation::cut_state() {
  state_.resize(below(random, state_.size() + 1));
}

bool Simulation::cut_streams() {
  const bool recreated = chance(random, 30);
  bool cut = false;
  for (auto& log : logs_) {
    const auto left = recreated ? 0 : chance(random, 50) ? log.size() : below(random, log.size() + 1);
    cut = cut || left < log.size();
    log.resize(left);
  }
  return cut;
}

std::size_t Simulation::claims() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(state_, [](const auto& r) { return r && r->kind == message::Kind::Claim && !r->removed; }));
}

std::vector<protocol::StateRecord> Simulation::state_from(std::size_t from) const {
  std::vector<protocol::StateRecord> out;
  for (auto i = from; i < state_.size(); ++i)
    if (state_[i]) out.push_back(*state_[i]);
  return out;
}

base::Result<protocol::Offset> SimStateLog::append(message::Kind kind, const std::string& key,
                                                   const std::string& value) {
  Parcel parcel;
  parcel.to_state = true;
  parcel.headers.kind = kind;
  parcel.key = key;
  parcel.value = value;
  if (simulation_.marks_ignored && kind == message::Kind::Checkpoint) {
    DS_ASSIGN(auto checkpoint, message::decode<message::Checkpoint>(base::as_bytes(value)));
    checkpoint.last_record = 0;
    parcel.value = message::encode(checkpoint);
  }
  return simulation_.post_and_wait(process_, std::move(parcel));
}

base::Result<protocol::Offset> SimStateLog::remove(message::Kind kind, const std::string& key) {
  Parcel parcel;
  parcel.to_state = true;
  parcel.headers.kind = kind;
  parcel.key = key;
  parcel.removed = true;
  return simulation_.post_and_wait(process_, std::move(parcel));
}

base::Result<std::vector<protocol::StateRecord>> SimStateLog::read_to_end(std::stop_token) {
  if (!simulation_.turn(process_)) return killed();
  auto out = simulation_.state_from(next_);
  const auto end = simulation_.state_end();
  if (!simulation_.turn(process_)) return killed();  // what it has read may be old by now
  next_ = end;
  return out;
}

base::Result<protocol::Offset> SimStreamLog::append(std::int32_t stream, const message::Headers& headers,
                                                    const std::string& value) {
  Parcel parcel;
  parcel.stream = stream;
  parcel.headers = headers;
  parcel.value = value;
  return simulation_.post_and_wait(process_, std::move(parcel));
}

base::Result<void> SimStreamLog::read(std::int32_t stream, protocol::Offset from, protocol::Offset to, std::stop_token,
                                      const std::function<base::Result<void>(const protocol::StreamRecord&)>& take) {
  if (!simulation_.turn(process_)) return killed();
  for (auto i = from; i < to; ++i) {
    const auto record = simulation_.stream(stream).at(static_cast<std::size_t>(i));
    DS_TRY(take({i, record.headers, base::as_bytes(record.value)}));
  }
  return {};
}

base::Result<protocol::StreamLog::Ends> SimStreamLog::ends(std::int32_t stream) {
  if (!simulation_.turn(process_)) return killed();
  return Ends{0, static_cast<protocol::Offset>(simulation_.stream(stream).size())};
}

}  // namespace datasync::model
