#include "tests/model/sim_source.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/protocol/reader_rule.hpp"

namespace datasync::model {
namespace {

using Verdict = protocol::ReaderRule::Verdict;

/// The transaction that is being gathered.
struct Open {
  std::optional<message::Gtid> gtid;
  std::uint32_t next = 0;

  std::string take(const message::Change& change) {
    const bool begins = change.fragment == 0;
    if (begins == gtid.has_value() || (!begins && (*gtid != change.gtid || next != change.fragment)))
      return fmt::format("torn transaction: fragment {} of {}", change.fragment, change.gtid.text());
    gtid = change.gtid;
    next = change.fragment + 1;
    return {};
  }
};

}  // namespace

std::vector<Transaction> random_source(Random& random, std::int32_t streams) {
  std::vector<Transaction> out;
  const auto count = 3 + below(random, 12);
  std::map<std::uint64_t, std::vector<std::uint32_t>> prepared;
  std::map<std::uint32_t, std::uint64_t> sequence;
  const auto rows = [&] {
    std::vector<std::uint32_t> fragments;
    for (std::int32_t s = 0; s < streams; ++s) fragments.push_back(static_cast<std::uint32_t>(below(random, 3)));
    return fragments;
  };
  for (std::uint64_t i = 0; i < count || !prepared.empty(); ++i) {
    Transaction t;
    const auto domain = static_cast<std::uint32_t>(chance(random, 20) ? 1 : 0);
    t.gtid = {domain, 1, sequence[domain] += 1 + below(random, 3)};
    if (!prepared.empty() && (i >= count || chance(random, 40))) {
      t.what = Transaction::What::Commit;
      t.xa = prepared.begin()->first;
      t.fragments = prepared.begin()->second;
      prepared.erase(prepared.begin());
    } else if (chance(random, 15)) {
      t.what = Transaction::What::Prepare;
      t.xa = i;
      t.fragments.assign(static_cast<std::size_t>(streams), 0);
      prepared[i] = rows();
    } else {
      t.fragments = rows();
    }
    out.push_back(std::move(t));
  }
  return out;
}

std::optional<std::vector<message::Gtid>> apply(const std::vector<Landed>& stream, std::string& why) {
  std::vector<message::Gtid> out;
  protocol::ReaderRule rule;
  Open open;
  for (const auto& [headers, value] : stream) {
    const auto verdict = rule.see(headers);
    if (verdict == Verdict::Foreign) why = "a record of an epoch that has not started";
    if (verdict == Verdict::NewEpoch) open = {};
    if (verdict == Verdict::Take && headers.kind == message::Kind::Change) {
      const auto change = message::decode<message::Change>(base::as_bytes(value));
      why = change ? open.take(*change) : change.error().what;
      if (headers.end == message::End::Transaction) out.push_back(*open.gtid);
      if (headers.end == message::End::Transaction || headers.end == message::End::Abort) open = {};
    }
    if (!why.empty()) return std::nullopt;
  }
  return out;
}

message::GtidSet random_beginning(Random& random, const std::vector<Transaction>& source) {
  // Never empty: a stream whose first watermark is empty cannot be distinguished from one without.
  message::GtidSet position;
  position.add({0, 1, 0});
  auto chosen = position;
  int open = 0;
  const auto count = below(random, 4);
  for (std::size_t i = 0; i < std::min(count, source.size()); ++i) {
    position.add(source[i].gtid);
    if (source[i].what == Transaction::What::Prepare) ++open;
    if (source[i].what == Transaction::What::Commit) --open;
    if (open == 0) chosen = position;
  }
  return chosen;
}

std::optional<message::GtidSet> beginning(const std::vector<Landed>& stream) {
  protocol::ReaderRule rule;
  for (const auto& [headers, value] : stream) {
    if (rule.see(headers) != Verdict::Take || headers.kind != message::Kind::Watermark) continue;
    return message::decode<message::Watermark>(base::as_bytes(value))->position;
  }
  return std::nullopt;
}

std::vector<message::Gtid> expected(const std::vector<Transaction>& source, std::int32_t stream,
                                    const message::GtidSet& beginning) {
  std::vector<message::Gtid> out;
  for (const auto& t : source)
    if (t.fragments[static_cast<std::size_t>(stream)] > 0 && !beginning.contains(t.gtid)) out.push_back(t.gtid);
  return out;
}

std::string text(const std::vector<message::Gtid>& gtids) {
  std::string out;
  for (const auto& g : gtids) out += (out.empty() ? "" : " ") + g.text();
  return out;
}

}  // namespace datasync::model
