#include "agents/client/mysql/table_reader.hpp"

#include <cerrno>

#include <fmt/core.h>
#include <poll.h>

#include "agents/client/mysql/handle.hpp"
#include "agents/client/mysql/key_range.hpp"
#include "agents/client/mysql/row_decode.hpp"

namespace datasync::sql {
namespace {

constexpr unsigned char kEof = 0xFE;

/// Returns the encoding that the server announces for a column; nullopt for types that messages do not support.
std::optional<Wire> announced_wire(enum_field_types type) noexcept {
  switch (type) {
    case MYSQL_TYPE_TINY:
      return Wire::Int1;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
      return Wire::Int2;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
      return Wire::Int4;
    case MYSQL_TYPE_LONGLONG:
      return Wire::Int8;
    case MYSQL_TYPE_FLOAT:
      return Wire::Float;
    case MYSQL_TYPE_DOUBLE:
      return Wire::Double;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return Wire::Date;
    case MYSQL_TYPE_TIME:
      return Wire::Time;
    case MYSQL_TYPE_NULL:
      return std::nullopt;
    default:
      return Wire::Bytes;
  }
}

/// Converts a key image to a condition.
template <class Condition>
base::Result<std::string> condition(const message::TableSchema& keys, std::string_view image, Condition make) {
  message::ImageView view;
  DS_TRY(message::read_image(keys, base::as_bytes(image), view));
  return make(keys, view);
}

base::Result<std::string> where_clause(const message::TableSchema& schema, const TableReader::Range& range) {
  const message::TableSchema keys = key_schema(schema);
  std::string where;
  if (!range.after_key.empty()) {
    DS_ASSIGN(const std::string test, condition(keys, range.after_key, after_key));
    where = " WHERE " + test;
  }
  if (!range.up_to_key.empty()) {
    DS_ASSIGN(const std::string test, condition(keys, range.up_to_key, up_to_key));
    where += (where.empty() ? " WHERE " : " AND ") + test;
  }
  return where;
}

base::Result<std::string> select_of(const message::TableSchema& schema, std::string_view database,
                                    std::string_view table, const TableReader::Range& range) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    sql += (i == 0 ? "" : ", ") + select_expression(schema.columns[i]);
  }
  DS_ASSIGN(const std::string where, where_clause(schema, range));
  sql += " FROM " + quote_identifier(database, table) + where;
  for (std::size_t i = 0; range.ordered && i < schema.key.size(); ++i) {
    sql += (i == 0 ? " ORDER BY " : ", ") + quote_identifier(schema.columns[schema.key[i]].name);
  }
  if (range.limit != 0) sql += fmt::format(" LIMIT {}", range.limit);
  return sql;
}

}  // namespace

struct TableReader::Impl {
  explicit Impl(Connection& c) : connection(c) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  base::Result<void> start(const std::string& sql);
  base::Result<void> check_columns();
  base::Result<bool> next(base::Buffer& out);
  [[nodiscard]] base::Error statement_error();
  [[nodiscard]] std::string doing() const { return "while reading " + name; }

  Connection& connection;
  std::vector<message::Column> columns;
  std::vector<Kept> kept;
  std::string name;
  StmtPtr stmt;
  bool ended = false;
};

// Closing an unfinished statement reads and discards its remaining rows.
TableReader::Impl::~Impl() {
  stmt.reset();
  if (!connection.impl().failed.load()) (void)connection.execute("SET SESSION character_set_results=utf8mb4");
}

base::Error TableReader::Impl::statement_error() {
  return connection.impl().error(
      {mysql_stmt_errno(stmt.get()), mysql_stmt_sqlstate(stmt.get()), mysql_stmt_error(stmt.get())}, doing());
}

base::Result<void> TableReader::Impl::check_columns() {
  const bool source = connection.impl().options.role == Role::Source;
  const base::Reason reason = source ? base::Reason::SchemaUnknown : base::Reason::DestinationSchemaMismatch;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const MYSQL_FIELD& field = stmt->fields[i];
    const bool integer = IS_NUM(field.type) && columns[i].type <= message::ColumnType::BigInt;
    const auto wire = announced_wire(field.type);
    kept.push_back({wire.value_or(Wire::Bytes), integer ? (field.flags & UNSIGNED_FLAG) != 0 : columns[i].is_unsigned});
    const bool same = wire == wire_of(columns[i]) && kept.back().is_unsigned == columns[i].is_unsigned;
    // A destination may have a wider type than the source; its values are converted to the source's type for the
    // comparison.
    if (!same && (source || !wire || !is_wider(columns[i], kept.back()))) {
      return base::Error(reason,
                         fmt::format("{}: column {} is not {}{} at the server", doing(), columns[i].name,
                                     message::to_string(columns[i].type), columns[i].is_unsigned ? " unsigned" : ""));
    }
  }
  return {};
}

base::Result<void> TableReader::Impl::start(const std::string& sql) {
  DS_TRY(connection.execute("SET SESSION character_set_results=NULL"));
  stmt.reset(mysql_stmt_init(connection.impl().mysql.get()));
  if (!stmt) return base::Error(base::Reason::Internal, "mysql_stmt_init: out of memory");
  if (mysql_stmt_prepare(stmt.get(), sql.data(), sql.size()) != 0) return statement_error();
  DS_TRY(check_columns());
  if (mysql_stmt_execute(stmt.get()) != 0) return statement_error();
  return {};
}

base::Result<bool> TableReader::Impl::next(base::Buffer& out) {
  if (ended) return false;
  DS_TRY(connection.impl().usable());
  MYSQL* mysql = connection.impl().mysql.get();
  const unsigned long length = mysql_net_read_packet(mysql);
  const auto end = [this, mysql] {
    ended = true;
    mysql->status = MYSQL_STATUS_READY;
    stmt->state = MYSQL_STMT_FETCH_DONE;
  };
  if (length == packet_error) {
    const bool too_large = mysql_errno(mysql) == CR_NET_PACKET_TOO_LARGE;
    base::Error error = connection.impl().error(doing());
    end();
    if (too_large && connection.impl().options.role == Role::Source)
      return base::Error(base::Reason::RowTooLarge,
                         fmt::format("{}: a row is larger than {} bytes, the most that the agent's memory limit "
                                     "allows: raise spec.capture.resources.limits.memory",
                                     doing(), connection.impl().options.max_packet));
    return error;
  }
  const unsigned char* packet = mysql->net.read_pos;
  if (packet[0] == kEof && length < 9) {
    end();
    return false;
  }
  if (!append_image(columns, kept, {reinterpret_cast<const std::byte*>(packet), length}, out)) {
    return base::Error(base::Reason::Internal, doing() + ": a row that does not fit its columns");
  }
  return true;
}

TableReader::TableReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TableReader::~TableReader() = default;

base::Result<std::unique_ptr<TableReader>> TableReader::open(Connection& connection, const message::TableSchema& schema,
                                                             std::string_view database, std::string_view table,
                                                             const Range& range) {
  DS_TRY(connection.impl().usable());
  DS_ASSIGN(const std::string sql, select_of(schema, database, table, range));
  auto impl = std::make_unique<Impl>(connection);
  impl->columns = schema.columns;
  impl->name = fmt::format("{}.{}", database, table);
  DS_TRY(impl->start(sql));
  return std::unique_ptr<TableReader>(new TableReader(std::move(impl)));
}

base::Result<bool> TableReader::next(base::Buffer& out) {
  return impl_->next(out);
}

namespace {

/// For a query that may take longer than the read timeout. The server ends it before `patience` does.
base::Result<bool> finds_rows(Connection& connection, std::string_view sql, std::chrono::milliseconds patience) {
  auto& impl = connection.impl();
  DS_TRY(impl.usable());
  MYSQL* mysql = impl.mysql.get();
  const auto failed = [&] { return impl.error("while querying"); };
  if (mysql_send_query(mysql, sql.data(), sql.size()) != 0) return failed();
  pollfd socket_state{static_cast<int>(mysql_get_socket(mysql)), POLLIN, 0};
  while (poll(&socket_state, 1, static_cast<int>(patience.count())) < 0 && errno == EINTR)
    ;
  // Reading says what is wrong, if anything is.
  if (mysql_read_query_result(mysql) != 0) return failed();
  const ResultPtr result(mysql_store_result(mysql));
  if (!result) return failed();
  return mysql_num_rows(result.get()) != 0;
}

}  // namespace

bool ended_by_time(const Connection& connection) noexcept {
  constexpr unsigned kStatementTimeout = 1969;
  return connection.last_errno() == kStatementTimeout;
}

base::Result<std::optional<bool>> repeats_a_key(Connection& connection, const message::TableSchema& schema,
                                                std::string_view database, std::string_view table,
                                                const TableReader::Range& range, std::chrono::milliseconds time) {
  DS_ASSIGN(const std::string where, where_clause(schema, range));
  std::string key;
  for (const auto i : schema.key) key += (key.empty() ? "" : ", ") + quote_identifier(schema.columns[i].name);
  const auto sql = fmt::format(
      "SET STATEMENT max_statement_time={}.{:03} FOR "
      "SELECT 1 FROM {}{} GROUP BY {} HAVING COUNT(*) > 1 LIMIT 1",
      time.count() / 1000, time.count() % 1000, quote_identifier(database, table), where, key);
  const auto found = finds_rows(connection, sql, time + connection.impl().options.read_timeout);
  if (!found && ended_by_time(connection)) return std::optional<bool>();
  if (!found) return base::Error(found.error());
  return std::optional(*found);
}

}  // namespace datasync::sql
