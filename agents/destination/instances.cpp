#include "agents/destination/instances.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/destination/ledger_tables.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr std::string_view kTable = "instances";
constexpr std::uint64_t kKept = 1000;  ///< so many instances of a task are remembered

base::Result<std::uint64_t> rank_of(const sql::Row& row) {
  std::uint64_t rank = 0;
  const std::string text = row[1].value_or("");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc{} || end != text.data() + text.size())
    return Error(Reason::LedgerInvalid, "a rank in the table of instances is not a number");
  return rank;
}

}  // namespace

base::Result<void> Instances::create(sql::Connection& connection, const Dialect& dialect, const std::string& database) {
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database, kTable));
  if (there) return {};
  const auto statement = dialect.create_instances(database);
  if (auto made = connection.execute(statement); !made)
    return Error(made.error().reason, fmt::format("{} (for: {})", made.error().what, statement));
  return {};
}

base::Result<void> Instances::forget(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                                     const std::string& task) {
  return forget_task(connection, dialect, database, kTable, task);
}

std::string Instances::where() const {
  return fmt::format(" WHERE task={} AND topic={}", sql::quote_text(key_.task), sql::quote_text(key_.topic));
}

base::Result<void> Instances::judge(const std::vector<sql::Row>& newest_first, bool& ranked) const {
  ranked = std::ranges::any_of(newest_first, [this](const auto& row) { return row[0] == key_.instance; });
  if (!ranked || newest_first.front()[0] == key_.instance) return {};
  return Error(
      Reason::Superseded,
      fmt::format("instance {} is newer than this one ({}) and has taken over. This one writes nothing any more "
                  "and waits. If the newer one no longer exists, replace this one: delete its pod, or start "
                  "datasync run again",
                  newest_first.front()[0].value_or(""), key_.instance));
}

base::Result<void> Instances::check(sql::Connection& connection, const Dialect& dialect) const {
  DS_ASSIGN(const auto rows, connection.query(fmt::format("SELECT instance, `rank` FROM {}{} ORDER BY `rank` DESC",
                                                          dialect.quote(database_, kTable), where())));
  bool ranked = false;
  return judge(rows, ranked);
}

base::Result<void> Instances::rank(sql::Connection& connection, const Dialect& dialect) const {
  const auto table = dialect.quote(database_, kTable);
  DS_ASSIGN(const auto rows, connection.query(fmt::format(
                                 "SELECT instance, `rank` FROM {}{} ORDER BY `rank` DESC FOR UPDATE", table, where())));
  bool ranked = false;
  DS_TRY(judge(rows, ranked));
  if (ranked) return {};
  std::uint64_t highest = 0;
  if (!rows.empty()) {
    DS_ASSIGN(highest, rank_of(rows.front()));
  }
  auto made = connection.execute(fmt::format("INSERT INTO {} SET task={}, topic={}, instance={}, `rank`={}", table,
                                             sql::quote_text(key_.task), sql::quote_text(key_.topic),
                                             sql::quote_text(key_.instance), highest + 1));
  if (made) return {};
  constexpr unsigned kDuplicate = 1062;
  if (connection.last_errno() == kDuplicate)
    return Error(Reason::DestinationBusy, "another instance claimed the streams at this moment");
  return std::move(made).error();
}

base::Result<void> Instances::claim_in_transaction(sql::Connection& connection, const Dialect& dialect,
                                                   std::int32_t streams, const std::set<std::string>& types) const {
  DS_TRY(connection.begin());
  DS_TRY(rank(connection, dialect));
  for (std::int32_t stream = 0; stream < streams; ++stream) {
    Ledger row(database_, {key_.task, key_.topic, stream}, types, key_.instance);
    DS_TRY(row.take(connection, dialect));
  }
  return connection.commit();
}

base::Result<void> Instances::claim(sql::Connection& connection, const Dialect& dialect, std::int32_t streams,
                                    const std::set<std::string>& types) const {
  if (auto claimed = claim_in_transaction(connection, dialect, streams, types); !claimed) {
    connection.rollback();
    return claimed;
  }
  // A table that grows with every restart would be read at each. Who may not delete keeps it all.
  const auto table = dialect.quote(database_, kTable);
  auto trimmed = connection.execute(fmt::format(
      "DELETE FROM {}{} AND `rank` + {} < (SELECT newest FROM (SELECT MAX(`rank`) AS newest FROM {}{}) AS m)", table,
      where(), kKept, table, where()));
  if (!trimmed) base::log::debug("old instances are kept", {{"message", std::string_view(trimmed.error().what)}});
  return {};
}

}  // namespace datasync::apply
