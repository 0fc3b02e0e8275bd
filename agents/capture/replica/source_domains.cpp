#include "agents/capture/replica/source_domains.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "agents/protocol/request_ids.hpp"

namespace datasync::capture {
namespace {

constexpr std::string_view kDomain = "domain/", kLeft = "domain-left/", kAccepted = "domain-accepted/",
                           kAgain = "domain-again/";

std::string fact(std::string_view kind, std::uint32_t domain, unsigned times) {
  return fmt::format("{}{}{}/{}", protocol::request_ids::kFact, kind, domain, times);
}

/// The numbers of a fact: "fact/domain-left/2/1" has 2 and 1. Nothing: it is another one.
std::optional<std::pair<std::uint32_t, unsigned>> numbers(std::string_view id, std::string_view kind) {
  if (!id.starts_with(protocol::request_ids::kFact)) return std::nullopt;
  id.remove_prefix(protocol::request_ids::kFact.size());
  if (!id.starts_with(kind)) return std::nullopt;
  std::pair<std::uint32_t, unsigned> out{0, 0};
  const auto* end = id.data() + id.size();
  auto read = std::from_chars(id.data() + kind.size(), end, out.first);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '/')
    read = std::from_chars(read.ptr + 1, end, out.second);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return out;
}

}  // namespace

void SourceDomains::load(const std::set<std::string>& facts) {
  const std::scoped_lock lock(mutex_);
  for (const auto& id : facts) {
    if (const auto known = numbers(id, kDomain)) replicated_.insert(known->first);
    for (const auto kind : {kLeft, kAccepted})
      if (const auto left = numbers(id, kind); left && left->second > left_[left->first].times)
        left_[left->first] = {left->second, true, kind == kAccepted};
  }
  for (const auto& id : facts)
    if (const auto again = numbers(id, kAgain); again && again->second >= left_[again->first].times)
      left_[again->first].open = false;
}

void SourceDomains::replicated(const message::GtidSet& set) {
  for (const auto& [domain, gtid] : set.domains()) replicated(domain);
}

void SourceDomains::replicated(std::uint32_t domain) {
  const std::scoped_lock lock(mutex_);
  replicated_.insert(domain);
}

bool SourceDomains::contains(std::uint32_t domain) const {
  const std::scoped_lock lock(mutex_);
  return replicated_.contains(domain);
}

std::set<std::uint32_t> SourceDomains::required() const {
  const std::scoped_lock lock(mutex_);
  auto out = replicated_;
  for (const auto domain : accepted_) out.erase(domain);
  for (const auto& [domain, left] : left_)
    if (left.open && left.accepted) out.erase(domain);
  return out;
}

void SourceDomains::accept(const std::vector<std::uint32_t>& domains) {
  const std::scoped_lock lock(mutex_);
  accepted_.insert(domains.begin(), domains.end());
}

SourceDomains::Change SourceDomains::change(const std::vector<std::uint32_t>& without) const {
  const std::scoped_lock lock(mutex_);
  Change out;
  for (const auto domain : without) {
    const auto left = left_.find(domain);
    if (left != left_.end() && left->second.open) continue;
    const bool accepted = accepted_.contains(domain);
    const auto times = left == left_.end() ? 0 : left->second.times;
    out.facts.push_back(fact(accepted ? kAccepted : kLeft, domain, times + 1));
    out.copies = out.copies || accepted;
  }
  for (const auto& [domain, left] : left_) {
    if (!left.open || std::ranges::find(without, domain) != without.end() || !replicated_.contains(domain)) continue;
    out.facts.push_back(fact(kAgain, domain, left.times));
    out.copies = true;
  }
  return out;
}

void SourceDomains::begun(const Change& change) {
  load({change.facts.begin(), change.facts.end()});
  const std::scoped_lock lock(mutex_);
  accepted_.clear();
}

std::vector<std::string> SourceDomains::facts() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto domain : replicated_)
    out.push_back(fmt::format("{}{}{}", protocol::request_ids::kFact, kDomain, domain));
  return out;
}

}  // namespace datasync::capture
