#include "agents/message/gtid.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace datasync::message {
namespace {

base::Error bad(std::string_view what, std::string_view text) {
  return {base::Reason::BinlogCorrupt,
          fmt::format("\"{}\" is not {} (domain-server-sequence)", text.substr(0, 200), what)};
}

/// Reads a decimal number and the character after it (0: the end) from the start of `text`.
template <class T>
bool number(std::string_view& text, char after, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end == text.data()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (after == 0) return text.empty();
  if (text.empty() || text.front() != after) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string Gtid::text() const {
  return fmt::format("{}-{}-{}", domain, server, sequence);
}

base::Result<Gtid> Gtid::parse(std::string_view text) {
  Gtid g;
  auto rest = text;
  if (!number(rest, '-', g.domain) || !number(rest, '-', g.server) || !number(rest, 0, g.sequence))
    return bad("a GTID", text);
  return g;
}

base::Result<GtidSet> GtidSet::parse(std::string_view text) {
  GtidSet set;
  for (auto rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    auto item = rest.substr(0, comma);
    if (comma == rest.size() - 1) return bad("a GTID set", text);
    while (item.starts_with(' ') || item.starts_with('\n')) item.remove_prefix(1);
    DS_ASSIGN(const auto g, Gtid::parse(item));
    if (!set.last_.emplace(g.domain, g).second) return bad("a GTID set with one GTID per domain", text);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return set;
}

bool GtidSet::contains(const Gtid& g) const noexcept {
  const auto at = last_.find(g.domain);
  return at != last_.end() && g.sequence <= at->second.sequence;
}

bool GtidSet::contains(const GtidSet& other) const noexcept {
  return std::ranges::all_of(other.last_, [this](const auto& d) { return contains(d.second); });
}

bool GtidSet::add(const Gtid& g) {
  const auto [at, inserted] = last_.try_emplace(g.domain, g);
  if (inserted) return true;
  if (g.sequence < at->second.sequence) return false;
  at->second = g;
  return true;
}

void GtidSet::unite(const GtidSet& other) {
  for (const auto& [domain, g] : other.last_) add(g);
}

GtidSet GtidSet::intersection(const GtidSet& a, const GtidSet& b) {
  GtidSet out;
  for (const auto& [domain, g] : a.last_) {
    const auto at = b.last_.find(domain);
    if (at != b.last_.end()) out.last_.emplace(domain, g.sequence <= at->second.sequence ? g : at->second);
  }
  return out;
}

std::string GtidSet::text() const {
  std::string out;
  for (const auto& [domain, g] : last_) {
    if (!out.empty()) out += ',';
    out += g.text();
  }
  return out;
}

}  // namespace datasync::message
