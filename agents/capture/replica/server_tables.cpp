#include "agents/capture/replica/server_tables.hpp"

#include <utility>

namespace datasync::capture {

base::Result<source::Server*> ServerTables::server() {
  if (!server_) {
    DS_ASSIGN(server_, connect_());
  }
  return server_.get();
}

// A connection idle for hours is closed by the server: a failed one is opened again, once.
template <class Call>
auto ServerTables::asked(Call call) -> decltype(call(std::declval<source::Server&>())) {
  for (int tries = 0;; ++tries) {
    DS_ASSIGN(auto* s, server());
    auto answer = call(*s);
    if (answer || tries > 0 || answer.error().outcome() != base::Outcome::Retry) return answer;
    server_.reset();
  }
}

base::Result<std::optional<source::TableInfo>> ServerTables::info(const TableChoice& table) {
  return asked([&](source::Server& s) { return s.table(table.database, table.table, table.exclude); });
}

base::Result<TableFacts> ServerTables::facts(const TableChoice& table) {
  return asked([&](source::Server& s) { return s.check_table(table, rules_, selection_); });
}

base::Result<message::GtidSet> ServerTables::executed() {
  return asked([](source::Server& s) { return s.executed(); });
}

base::Result<void> ServerTables::read_collations() {
  if (!collations_.empty()) return {};
  DS_ASSIGN(collations_, asked([](source::Server& s) { return s.collations(); }));
  return {};
}

std::optional<binlog::Collation> ServerTables::collation(std::uint32_t id) const {
  const auto at = collations_.find(id);
  return at == collations_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::string> ServerTables::to_utf8(std::string_view charset, std::string_view text) {
  auto converted = asked([&](source::Server& s) { return s.to_utf8(charset, text); });
  if (converted) return std::move(*converted);
  if (converted.error().outcome() == base::Outcome::Retry) trouble_ = std::move(converted).error();
  return std::nullopt;
}

}  // namespace datasync::capture
