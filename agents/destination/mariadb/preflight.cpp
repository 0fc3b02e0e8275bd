#include "agents/destination/mariadb/preflight.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/destination/mariadb/grants.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr std::uint64_t kSmallPacket = 16ULL << 20U;

void warn(const sql::Row& facts) {
  if (facts[2].value_or("1") != "1")
    base::log::warn("a crash of the destination may lose commits that are reported as applied",
                    {{"fix", "SET GLOBAL innodb_flush_log_at_trx_commit=1"}});
  if (std::stoull(facts[3].value_or("0")) < kSmallPacket)
    base::log::warn("max_allowed_packet of the destination is small",
                    {{"fix", "SET GLOBAL max_allowed_packet=67108864"}});
}

}  // namespace

base::Result<void> check_destination(sql::Connection& connection, LedgerStore& ledger, const config::Apply& config) {
  if (!connection.is_mariadb())
    return Error(Reason::PreflightFailed, fmt::format("{} is {}, not MariaDB; set destination.engine to what it is",
                                                      config.destination.text(), connection.server_version()));
  DS_ASSIGN(
      const auto rows,
      connection.query("SELECT @@global.log_bin, @@global.binlog_format, @@global.innodb_flush_log_at_trx_commit, "
                       "@@global.max_allowed_packet, current_user(), (SELECT support FROM "
                       "information_schema.engines WHERE engine='InnoDB')"));
  if (rows.empty()) return Error(Reason::DestinationUnreachable, "the destination answered nothing");
  const sql::Row& facts = rows.front();
  std::vector<std::string> wrong;
  if (facts[0] == "1" && facts[1] == "STATEMENT")
    wrong.emplace_back("binlog_format=STATEMENT cannot log what is written here; SET GLOBAL binlog_format=MIXED");
  if (facts[5] != "DEFAULT" && facts[5] != "YES")
    wrong.emplace_back("the engine InnoDB is not available; start the server without --skip-innodb");
  DS_TRY(check_writable(connection));
  auto made = ledger.create_ledger(config.ledger_database);
  if (made) made = ledger.create_known_tables(config.ledger_database);
  if (!made && made.error().is(Reason::PermissionDenied)) {
    wrong.push_back(fmt::format(
        "the ledger cannot be made or widened: {}; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON {}.* TO {}",
        made.error().what, sql::quote_identifier(config.ledger_database), grantee(facts[4].value_or(""))));
  } else if (!made) {
    return made;
  }
  if (!wrong.empty())
    return Error(Reason::PreflightFailed, fmt::format("{}: {}", config.destination.text(), fmt::join(wrong, "; ")));
  warn(facts);
  return {};
}

}  // namespace datasync::apply
