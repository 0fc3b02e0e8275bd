#include "agents/destination/known_tables.hpp"

#include <fmt/format.h>

#include "agents/destination/destination.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {
std::string lines_text(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    for (const char c : name) {
      if (c == '\\' || c == '\n') out += '\\';
      out += c == '\n' ? 'n' : c;
    }
    out += '\n';
  }
  return out;
}

std::vector<std::string> parse_lines(std::string_view text) {
  std::vector<std::string> out;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      line += text[i] == 'n' ? '\n' : text[i];
    } else if (text[i] == '\n') {
      out.push_back(std::move(line));
      line.clear();
    } else {
      line += text[i];
    }
  }
  return out;
}

base::Result<void> KnownTables::create(DestinationServer& connection, const std::string& database) {
  return connection.ledger().create_known_tables(database);
}

base::Result<void> KnownTables::read(DestinationServer& connection) {
  DS_ASSIGN(auto stored, connection.ledger().known_tables(database_, key_));
  tables_.clear();
  for (auto& table : stored) {
    auto target = table.target;
    tables_.insert_or_assign(std::move(target), std::move(table));
  }
  return {};
}

const KnownTable* KnownTables::find(std::string_view target) const {
  const auto at = tables_.find(target);
  return at == tables_.end() ? nullptr : &at->second;
}

std::vector<std::string> KnownTables::targets_of(const std::string& source) const {
  std::vector<std::string> out;
  for (const auto& [target, known] : tables_)
    if (known.source == source) out.push_back(target);
  return out;
}

base::Result<void> KnownTables::store(DestinationServer& connection, std::uint64_t token, KnownTable table) {
  if (const auto* old = find(table.target); old != nullptr && *old == table) return {};
  DS_ASSIGN(const bool mine, connection.ledger().store_known(database_, key_, token, table));
  if (!mine)
    return base::Error(base::Reason::Superseded,
                       fmt::format("another instance has taken over stream {} of topic {}", key_.stream, key_.topic));
  auto target = table.target;
  tables_.insert_or_assign(std::move(target), std::move(table));
  return {};
}

base::Result<void> KnownTables::store_has_rows(DestinationServer& connection, const std::string& target,
                                               bool has_rows) const {
  const auto at = tables_.find(target);
  if (at == tables_.end() || (has_rows && at->second.has_rows)) return {};
  return connection.ledger().set_has_rows(database_, key_, target, has_rows);
}

base::Result<void> KnownTables::store_filled(DestinationServer& connection, const std::string& target,
                                             const std::vector<std::string>& columns) const {
  return connection.ledger().add_filled(database_, key_, target, columns);
}

void KnownTables::add_filled(const std::string& target, const std::vector<std::string>& columns) {
  const auto at = tables_.find(target);
  if (at != tables_.end()) at->second.filled.insert(at->second.filled.end(), columns.begin(), columns.end());
}

void KnownTables::set_has_rows(const std::string& target, bool has_rows) {
  if (const auto at = tables_.find(target); at != tables_.end()) at->second.has_rows = has_rows;
}

base::Result<std::optional<std::string>> KnownTables::other_source(DestinationServer& connection,
                                                                   const std::string& target,
                                                                   const std::string& source) const {
  return connection.ledger().other_source(database_, key_, target, source);
}

base::Result<std::optional<std::string>> KnownTables::other_task(DestinationServer& connection,
                                                                 const std::string& target) const {
  return connection.ledger().other_task(database_, key_.task, target);
}

base::Result<void> KnownTables::remove(DestinationServer& connection, const std::string& target,
                                       std::optional<std::uint64_t> token) {
  DS_TRY(connection.ledger().remove_known(database_, key_, target, token));
  const auto at = tables_.find(target);
  if (at != tables_.end()) tables_.erase(at);
  return {};
}

}  // namespace datasync::apply
