#include "agents/destination/mariadb/bulk.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include <fmt/core.h>

#include "agents/base/identifier.hpp"
#include "agents/client/mysql/errors.hpp"
#include "agents/client/mysql/handle.hpp"
#include "agents/destination/mariadb/bulk_rows.hpp"

namespace datasync::sql {
namespace {

constexpr std::size_t kPacketTarget = (16U << 20U) - 1024;  // one protocol frame
constexpr std::size_t kPacketSlack = 64;                    // the server wants a packet below max_allowed_packet
constexpr std::size_t kLongFrom = 64U << 10U;               // values sent in pieces when a row is too large
constexpr std::size_t kLongPiece = 512U << 10U;
constexpr std::size_t kNoLong = std::numeric_limits<std::size_t>::max();

// The session's mode (connection.cpp) without STRICT_ALL_TABLES.
constexpr std::string_view kLax =
    "SET SESSION sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'";
constexpr std::string_view kStrict =
    "SET SESSION sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,"
    "NO_BACKSLASH_ESCAPES'";
constexpr std::string_view kTruncated = "1265";

std::vector<const message::Column*> columns_of(const std::vector<Parameter>& parameters) {
  std::vector<const message::Column*> columns;
  columns.reserve(parameters.size());
  for (const Parameter& p : parameters) columns.push_back(p.column);
  return columns;
}

}  // namespace

struct BulkStatement::Impl {
  Impl(Connection& c, std::vector<Parameter> p)
      : connection(c), parameters(std::move(p)), rows(columns_of(parameters)) {}

  base::Result<void> prepare(std::string_view sql);
  base::Result<std::uint64_t> execute_all();
  base::Result<std::uint64_t> execute_strict(std::size_t first, std::size_t last);
  base::Result<std::uint64_t> execute_lax(std::size_t row);
  base::Result<std::uint64_t> execute_one(std::size_t row);
  base::Result<std::uint64_t> execute_long(std::size_t row);
  base::Result<void> send_long(const BulkRows::LongValue& value);
  base::Result<void> check_warnings(std::size_t expected);
  base::Result<std::uint64_t> command(enum_server_command number, base::Bytes packet);
  [[nodiscard]] std::size_t limit() const { return connection.impl().max_allowed_packet - kPacketSlack; }
  [[nodiscard]] std::uint32_t id() const { return static_cast<std::uint32_t>(stmt->stmt_id); }
  [[nodiscard]] base::Error error() { return connection.impl().error("while writing rows"); }

  Connection& connection;
  std::vector<Parameter> parameters;
  BulkRows rows;
  StmtPtr stmt;
};

base::Result<void> BulkStatement::Impl::prepare(std::string_view sql) {
  DS_TRY(connection.impl().usable());
  stmt.reset(mysql_stmt_init(connection.impl().mysql.get()));
  if (!stmt) return base::Error(base::Reason::Internal, "mysql_stmt_init: out of memory");
  if (mysql_stmt_prepare(stmt.get(), sql.data(), sql.size()) != 0) {
    return connection.impl().error(
        {mysql_stmt_errno(stmt.get()), mysql_stmt_sqlstate(stmt.get()), mysql_stmt_error(stmt.get())},
        "while preparing");
  }
  const std::size_t wanted = mysql_stmt_param_count(stmt.get());
  if (wanted != parameters.size() || parameters.empty() || mysql_stmt_field_count(stmt.get()) != 0) {
    return base::Error(base::Reason::Internal,
                       fmt::format("a statement with {} placeholders and {} parameters", wanted, parameters.size()));
  }
  return {};
}

// The packet is sent as it stands in our buffer: the library's own array binding would copy every value a second time.
base::Result<std::uint64_t> BulkStatement::Impl::command(enum_server_command number, base::Bytes packet) {
  MYSQL* mysql = connection.impl().mysql.get();
  const char* data = reinterpret_cast<const char*>(packet.data());
  if (mysql->methods->db_command(mysql, number, data, packet.size(), 1, nullptr) != 0) return error();
  if (mysql_read_query_result(mysql) != 0) return error();
  return static_cast<std::uint64_t>(mysql_affected_rows(mysql));
}

base::Result<std::uint64_t> BulkStatement::Impl::execute_all() {
  DS_TRY(connection.impl().usable());
  if (rows.broken()) return base::Error(base::Reason::Internal, "a row of parameters is not complete");
  std::uint64_t affected = 0;
  for (std::size_t row = 0; row < rows.rows();) {
    const std::size_t lax = rows.next_lax(row);
    if (lax == row) {
      DS_ASSIGN(const std::uint64_t n, execute_lax(row));
      affected += n;
      ++row;
      continue;
    }
    DS_ASSIGN(const std::uint64_t n, execute_strict(row, lax));
    affected += n;
    row = lax;
  }
  return affected;
}

base::Result<std::uint64_t> BulkStatement::Impl::execute_strict(std::size_t first, std::size_t last) {
  std::uint64_t affected = 0;
  while (first < last) {
    const std::size_t end =
        connection.impl().bulk ? rows.fitting(first, last, std::min(limit(), kPacketTarget)) : first;
    if (end == first) {
      DS_ASSIGN(const std::uint64_t n, execute_one(first));
      affected += n;
      ++first;
      continue;
    }
    DS_ASSIGN(const std::uint64_t n, command(COM_STMT_BULK_EXECUTE, rows.bulk_packet(id(), first, end)));
    affected += n;
    first = end;
  }
  return affected;
}

base::Result<std::uint64_t> BulkStatement::Impl::execute_one(std::size_t row) {
  const base::Bytes packet = rows.execute_packet(id(), row, kNoLong);
  if (packet.size() > limit()) return execute_long(row);
  return command(COM_STMT_EXECUTE, packet);
}

base::Result<std::uint64_t> BulkStatement::Impl::execute_long(std::size_t row) {
  for (const BulkRows::LongValue& value : rows.long_values(row, kLongFrom)) DS_TRY(send_long(value));
  return command(COM_STMT_EXECUTE, rows.execute_packet(id(), row, kLongFrom));
}

base::Result<void> BulkStatement::Impl::send_long(const BulkRows::LongValue& value) {
  const std::uint64_t most = connection.impl().max_allowed_packet;
  if (value.value.size() > most) {
    return base::Error(base::Reason::ValueNotStorable,
                       fmt::format("a value of column {} has {} bytes; the server's max_allowed_packet is {}",
                                   parameters[value.parameter].column->name, value.value.size(), most));
  }
  MYSQL* mysql = connection.impl().mysql.get();
  base::Buffer piece;
  for (base::Bytes rest = value.value; !rest.empty();) {
    const base::Bytes part = rest.first(std::min(rest.size(), std::min(kLongPiece, limit() / 2)));
    rest = rest.subspan(part.size());
    piece.clear();
    piece.put(id());
    piece.put(value.parameter);
    piece.append(part);
    const char* data = reinterpret_cast<const char*>(piece.data());
    if (mysql->methods->db_command(mysql, COM_STMT_SEND_LONG_DATA, data, piece.size(), 1, nullptr) != 0) return error();
  }
  return {};
}

// Index 0 of an ENUM is the value '' that a non-strict session has stored. Strict mode refuses it in every spelling, so
// such a row is written without strict mode, and nothing but that may have been bent.
base::Result<std::uint64_t> BulkStatement::Impl::execute_lax(std::size_t row) {
  DS_TRY(connection.execute(kLax));
  auto affected = execute_one(row);
  base::Result<void> checked;
  if (affected && mysql_warning_count(connection.impl().mysql.get()) != 0)
    checked = check_warnings(rows.enum_zeros(row));
  if (affected || !connection.impl().failed.load()) {
    const unsigned number = connection.impl().last_errno;
    DS_TRY(connection.execute(kStrict));
    connection.impl().last_errno = number;
  }
  DS_TRY(std::move(checked));
  return affected;
}

base::Result<void> BulkStatement::Impl::check_warnings(std::size_t expected) {
  const std::size_t count = mysql_warning_count(connection.impl().mysql.get());
  DS_ASSIGN(const auto warnings, connection.query("SHOW WARNINGS"));
  for (const Row& warning : warnings) {
    const std::string text = base::fold_identifier(warning[2].value_or(""));  // the destination's name, in its case
    const bool of_enum = std::ranges::any_of(parameters, [&text](const Parameter& p) {
      return p.column->type == message::ColumnType::Enum &&
             text.find("'" + base::fold_identifier(p.column->name) + "'") != std::string::npos;
    });
    if (warning[1] != kTruncated || !of_enum || count > expected) {
      const auto number = warning[1].value_or("unknown");
      return base::Error(
          base::Reason::ValueNotStorable,
          fmt::format("{} (error {})",
                      without_values(static_cast<unsigned>(std::atoi(number.c_str())), warning[2].value_or("")),
                      number));
    }
  }
  return {};
}

BulkStatement::BulkStatement(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BulkStatement::~BulkStatement() = default;

base::Result<std::unique_ptr<BulkStatement>> BulkStatement::prepare(Connection& connection, std::string_view sql,
                                                                    std::vector<Parameter> parameters) {
  auto impl = std::make_unique<Impl>(connection, std::move(parameters));
  DS_TRY(impl->prepare(sql));
  return std::unique_ptr<BulkStatement>(new BulkStatement(std::move(impl)));
}

void BulkStatement::bind(base::Bytes value) {
  impl_->rows.bind(value);
}
void BulkStatement::bind_null() {
  impl_->rows.bind_null();
}
std::size_t BulkStatement::rows() const noexcept {
  return impl_->rows.rows();
}
void BulkStatement::clear() noexcept {
  impl_->rows.clear();
}

base::Result<std::uint64_t> BulkStatement::execute() {
  auto affected = impl_->execute_all();
  impl_->rows.clear();
  return affected;
}

}  // namespace datasync::sql
