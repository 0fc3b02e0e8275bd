#include "tests/model/records.hpp"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace datasync::model {
namespace {

using Verdict = protocol::ReaderRule::Verdict;

char byte(std::uint8_t b) {
  return static_cast<char>(b);
}

}  // namespace

void put(std::string& key, const StreamRecord& r) {
  key += {byte(r.epoch), byte(r.transaction), byte(r.fragment), byte(r.last ? 1 : 0)};
}

void put(std::string& key, const StateRecord& r) {
  key += {byte(r.claim ? 1 : 0), byte(r.epoch), byte(r.instance), byte(r.offset), byte(r.published)};
}

message::Headers headers_of(const StreamRecord& r) {
  if (r.transaction == 0) return {message::Kind::Start, "", message::Epoch(r.epoch), message::End::None};
  return {message::Kind::Change, "t", message::Epoch(r.epoch), r.last ? message::End::Transaction : message::End::None};
}

const std::string& value_of(std::uint8_t number) {
  static std::map<std::uint8_t, std::string> values;
  auto& value = values[number];
  if (value.empty()) value = message::encode(message::Change{gtid_of(number), 0, 0, true, {}});
  return value;
}

protocol::StateRecord real(const StateRecord& r, protocol::Offset offset) {
  const message::Epoch epoch(r.epoch);
  if (r.claim) {
    const message::Claim claim{epoch, std::to_string(r.instance), 0};
    return {offset, message::Kind::Claim, message::claim_key(epoch, claim.instance), message::encode(claim)};
  }
  const auto published = published_set(r.published);
  const message::Checkpoint checkpoint{epoch, 0, r.offset, published, published};
  return {offset, message::Kind::Checkpoint, message::checkpoint_key(checkpoint, 0), message::encode(checkpoint)};
}

message::Gtid gtid_of(std::uint8_t transaction) {
  return {0, 1, transaction};
}

message::GtidSet published_set(std::uint8_t newest) {
  message::GtidSet set;
  if (newest > 0) set.add(gtid_of(newest));
  return set;
}

std::uint8_t newest_of(const message::GtidSet& published) {
  const auto at = published.domains().find(0);
  return at == published.domains().end() ? std::uint8_t{0} : static_cast<std::uint8_t>(at->second.sequence);
}

Verdict Rule::see(const StreamRecord& r) {
  const auto verdict = rule_.see(headers_of(r));
  if (counts_lower_ && verdict == Verdict::Ignore && r.transaction != 0) return Verdict::Take;
  return verdict;
}

std::uint8_t Gatherer::take(const StreamRecord& r) {
  if (r.fragment == 0 ? open_ != 0 : (open_ != r.transaction || next_ != r.fragment)) torn_ = true;
  open_ = r.transaction;
  next_ = static_cast<std::uint8_t>(r.fragment + 1);
  if (!r.last) return 0;
  discard();
  return r.transaction;
}

Reading read_all(const std::vector<StreamRecord>& log, const Mutation& mutation) {
  Reading out;
  Rule rule(message::Epoch(0), mutation);
  Gatherer gatherer;
  for (const auto& r : log) {
    switch (rule.see(r)) {
      case Verdict::Take:
        if (const auto whole = gatherer.take(r); whole != 0) out.applied.push_back(whole);
        break;
      case Verdict::NewEpoch:
        gatherer.discard();
        break;
      case Verdict::Ignore:
        break;
      case Verdict::Foreign:
        out.violation = "a reader halts: " + text(r) + " before its start";
        return out;
    }
  }
  out.violation =
      gatherer.torn() ? std::optional<std::string>("a reader sees a torn transaction") : not_a_prefix(out.applied);
  return out;
}

std::optional<std::string> not_a_prefix(const std::vector<std::uint8_t>& applied) {
  for (std::size_t i = 0; i < applied.size(); ++i)
    if (applied[i] != i + 1) return fmt::format("applied {}: lost or repeated", fmt::join(applied, ","));
  return std::nullopt;
}

std::string text(const StreamRecord& r) {
  if (r.transaction == 0) return fmt::format("start({})", r.epoch);
  return fmt::format("t{}.{}{}@{}", r.transaction, r.fragment, r.last ? "!" : "", r.epoch);
}

std::string text(const StateRecord& r) {
  if (r.claim) return fmt::format("claim({}) by {}", r.epoch, r.instance);
  return fmt::format("ckpt({}: offset {}, published {})", r.epoch, r.offset, r.published);
}

}  // namespace datasync::model
