#pragma once
// Judgements as text.

#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/binlog/judgement.hpp"

namespace datasync::binlog {

/// "Dropped a.b, Moved c.d (was a.b)"; "?" at the end: not certain; "harmless".
inline std::string text(const Judgement& j) {
  std::vector<std::string> parts;
  if (j.control != Control::None) parts.emplace_back(to_string(j.control));
  for (const auto& e : j.effects) {
    auto part = fmt::format("{} {}.{}", to_string(e.what), e.name.database, e.name.table);
    if (e.what == TableEffect::What::Moved) part += fmt::format(" (was {}.{})", e.was.database, e.was.table);
    if (e.replaced) part += " replaced";
    if (e.if_missing) part += " if missing";
    if (!e.columns.empty()) part += fmt::format(" columns {}", fmt::join(e.columns, "+"));
    if (!e.added.empty()) part += fmt::format(" added {}", fmt::join(e.added, "+"));
    if (e.key) part += " key";
    if (e.others) part += " others";
    parts.push_back(std::move(part));
  }
  if (j.by_statement) parts.emplace_back(j.any_table ? "rows of any table" : "rows by statement");
  if (!j.certain) parts.emplace_back("?");
  return parts.empty() ? "harmless" : fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace datasync::binlog
