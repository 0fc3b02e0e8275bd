#include "agents/source/mariadb/server_clock.hpp"

#include <charconv>

namespace datasync::source::mariadb {
namespace {

constexpr std::string_view kClock =
    "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED), @@GLOBAL.binlog_expire_logs_seconds";

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

}  // namespace

base::Result<Clock> server_clock(sql::Connection& connection) {
  DS_ASSIGN(const auto rows, connection.query(kClock));
  if (rows.empty() || rows.front().size() < 2) return base::Error(base::Reason::Internal, "no answer to a clock query");
  return Clock{number(rows.front()[0]), number(rows.front()[1])};
}

}  // namespace datasync::source::mariadb
