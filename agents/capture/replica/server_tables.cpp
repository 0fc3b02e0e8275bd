#include "agents/capture/replica/server_tables.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agents/capture/replica/server_facts.hpp"

namespace datasync::capture {
namespace {

// Since 10.10 a collation belongs to several character sets and its full name and id stand in the second table.
constexpr std::string_view kCollations =
    "SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY "
    "WHERE ID IS NOT NULL";
constexpr std::string_view kOldCollations =
    "SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL";

std::string hex(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

base::Result<sql::Connection*> ServerTables::connection() {
  if (!connection_) {
    DS_ASSIGN(connection_, connect_());
  }
  return connection_.get();
}

// A connection idle for hours is closed by the server: a failed one is opened again, once.
template <class Call>
auto ServerTables::asked(Call call) -> decltype(call(std::declval<sql::Connection&>())) {
  for (int tries = 0;; ++tries) {
    DS_ASSIGN(auto* c, connection());
    auto answer = call(*c);
    if (answer || tries > 0 || answer.error().outcome() != base::Outcome::Retry) return answer;
    connection_.reset();
  }
}

base::Result<std::optional<sql::TableInfo>> ServerTables::info(const TableChoice& table) {
  return asked([&](sql::Connection& c) { return sql::read_table_info(c, table.database, table.table, table.exclude); });
}

base::Result<TableFacts> ServerTables::facts(const TableChoice& table) {
  return asked([&](sql::Connection& c) { return gather_table(c, table); });
}

base::Result<message::GtidSet> ServerTables::executed() {
  return asked([](sql::Connection& c) -> base::Result<message::GtidSet> {
    DS_ASSIGN(const auto text, c.query_one("SELECT @@GLOBAL.gtid_binlog_pos"));
    return message::GtidSet::parse(text.value_or(""));
  });
}

base::Result<void> ServerTables::read_collations() {
  if (!collations_.empty()) return {};
  return asked([this](sql::Connection& c) -> base::Result<void> {
    auto rows = c.query(kCollations);
    if (!rows && rows.error().outcome() != base::Outcome::Retry) rows = c.query(kOldCollations);
    if (!rows) return base::Error(std::move(rows).error());
    for (const auto& row : *rows) {
      std::uint32_t id = 0;
      const auto text = row.at(0).value_or("");
      std::from_chars(text.data(), text.data() + text.size(), id);
      collations_[id] = {row.at(1).value_or(""), row.at(2).value_or("")};
    }
    return {};
  });
}

std::optional<binlog::Collation> ServerTables::collation(std::uint32_t id) const {
  const auto at = collations_.find(id);
  return at == collations_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::string> ServerTables::to_utf8(std::string_view charset, std::string_view text) {
  auto converted = asked([&](sql::Connection& c) {
    return c.query_one(fmt::format("SELECT CONVERT(_{} X'{}' USING utf8mb4)", charset, hex(text)));
  });
  if (converted) return std::move(*converted);
  if (converted.error().outcome() == base::Outcome::Retry) trouble_ = std::move(converted).error();
  return std::nullopt;
}

}  // namespace datasync::capture
