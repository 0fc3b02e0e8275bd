#include "agents/client/mysql/connection.hpp"

#include <charconv>
#include <mutex>

#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/client/mysql/errors.hpp"
#include "agents/client/mysql/handle.hpp"

namespace datasync::sql {
namespace {

/// mysql_init creates the library's per-thread data, which must be freed at the end of the thread.
struct ThreadGuard {
  ThreadGuard() { mysql_thread_init(); }
  ~ThreadGuard() { mysql_thread_end(); }
  ThreadGuard(const ThreadGuard&) = delete;
  ThreadGuard& operator=(const ThreadGuard&) = delete;
};

void init_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
  thread_local const ThreadGuard guard;
  (void)guard;
}

void set_tls(MYSQL* mysql, const ConnectOptions& options) {
  const my_bool on = 1;
  const my_bool off = 0;
  if (options.tls == config::TlsMode::Disabled) {
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &off);
    return;
  }
  mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &on);
  // Connector/C checks the certificate chain whenever it has a CA, and the host name only with VERIFY_SERVER_CERT.
  if (options.tls != config::TlsMode::Required && !options.tls_ca_file.empty()) {
    mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, options.tls_ca_file.c_str());
  }
  const my_bool identity = options.tls == config::TlsMode::VerifyIdentity ? 1 : 0;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &identity);
}

void set_options(MYSQL* mysql, const ConnectOptions& options) {
  const auto seconds = [](std::chrono::seconds s) { return static_cast<unsigned>(s.count()); };
  const unsigned connect_timeout = seconds(options.connect_timeout);
  const unsigned read_timeout = seconds(options.read_timeout);
  const unsigned write_timeout = seconds(options.write_timeout);
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &read_timeout);
  mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &write_timeout);
  mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const unsigned no_infile = 0;  // a server must not be able to request our files
  mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &no_infile);
  const unsigned protocol = MYSQL_PROTOCOL_TCP;  // "localhost" must not mean a socket file
  mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  const unsigned long packet = options.max_packet;
  mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
  set_tls(mysql, options);
}

/// Error numbers after which the library no longer has a connection.
bool connection_gone(unsigned number) noexcept {
  return (number >= 2000 && number != 2020 && number < 3000) || (number >= 5000 && number < 6000) || number == 1053 ||
         number == 1927;
}

// Zero and partial dates and the value 0 of an auto-increment column are valid values. A value that does not fit is an
// error and is never truncated. NO_BACKSLASH_ESCAPES makes quoting independent of the character set.
constexpr std::string_view kSession =
    "SET SESSION time_zone='+00:00', autocommit=1, foreign_key_checks=1, unique_checks=1, sql_safe_updates=0, "
    "sql_select_limit=18446744073709551615, wait_timeout=86400, net_write_timeout=600, sql_quote_show_create=1, "
    "sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,"
    "NO_BACKSLASH_ESCAPES'";

std::uint64_t to_number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

base::Result<void> set_session(Connection& connection) {
  DS_TRY(connection.execute("SET NAMES utf8mb4 COLLATE utf8mb4_bin"));
  DS_TRY(connection.execute(kSession));
  if (connection.is_mariadb()) {
    DS_TRY(
        connection.execute("SET SESSION max_statement_time=0, check_constraint_checks=1, idle_transaction_timeout=0"));
  }
  const bool source = connection.impl().options.role == Role::Source;
  DS_TRY(connection.execute(source ? "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
                                   : "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"));
  DS_ASSIGN(const auto packet, connection.query_one("SELECT @@max_allowed_packet"));
  if (!packet) return base::Error(base::Reason::Internal, "the server does not say its max_allowed_packet");
  connection.impl().max_allowed_packet = to_number(packet);
  return {};
}

bool takes_bulk(MYSQL* mysql) {
  unsigned long extended = 0;
  mariadb_get_infov(mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended);
  return mariadb_connection(mysql) != 0 && (extended & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32U)) != 0;
}

/// Stores the whole result of the last statement; `result` is null for a statement without one. When a connection
/// breaks in the middle of a result, the library has no result and a field count of 0, exactly as for a statement
/// without a result; only the earlier field count and the error number distinguish the two. False: the library has the
/// error.
bool store_result(MYSQL* mysql, ResultPtr& result) {
  const bool has_rows = mysql_field_count(mysql) != 0;
  result.reset(mysql_store_result(mysql));
  return result != nullptr || (!has_rows && mysql_errno(mysql) == 0);
}

/// A compound statement returns several results; only the first one is used. Returns false when a later one is an error
/// or does not arrive: the library returns -1 both for "no more results" and for a broken connection.
bool drop_further_results(MYSQL* mysql) {
  int more = mysql_next_result(mysql);
  for (; more == 0; more = mysql_next_result(mysql)) {
    ResultPtr unwanted;
    if (!store_result(mysql, unwanted)) return false;
  }
  return more < 0 && mysql_errno(mysql) == 0;
}

}  // namespace

SocketHandle::~SocketHandle() {
  if (fd_ >= 0) ::close(fd_);
}

void SocketHandle::shut_down() const noexcept {
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

int duplicate_socket(MYSQL* mysql) noexcept {
  return ::dup(static_cast<int>(mysql_get_socket(mysql)));
}

bool fetch_rows(MYSQL* mysql, std::string_view sql, std::vector<Row>& rows, std::vector<std::string>* names) {
  if (mysql_real_query(mysql, sql.data(), sql.size()) != 0) return false;
  ResultPtr result;
  if (!store_result(mysql, result)) return false;
  if (!result) return drop_further_results(mysql);
  const unsigned columns = mysql_num_fields(result.get());
  if (names != nullptr)
    for (unsigned i = 0; i < columns; ++i) names->emplace_back(mysql_fetch_field_direct(result.get(), i)->name);
  while (MYSQL_ROW fields = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    Row& row = rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (fields[i] != nullptr) row[i].emplace(fields[i], lengths[i]);
    }
  }
  return drop_further_results(mysql);
}

base::Result<MysqlPtr> connect(const ConnectOptions& options) {
  if (options.tls == config::TlsMode::VerifyCa && options.tls_ca_file.empty()) {
    return base::Error(base::Reason::ConfigInvalid, "tls.mode VerifyCa needs a CA (tls.caSecretName)");
  }
  init_library();
  MysqlPtr mysql(mysql_init(nullptr));
  if (!mysql) return base::Error(base::Reason::Internal, "mysql_init: out of memory");
  set_options(mysql.get(), options);
  const unsigned long flags = options.found_rows ? CLIENT_FOUND_ROWS : 0;
  if (mysql_real_connect(mysql.get(), options.server.host.c_str(), options.user.c_str(),
                         options.password.reveal().c_str(), nullptr, options.server.port, nullptr, flags) == nullptr) {
    const unsigned number = mysql_errno(mysql.get());
    const std::string_view text = mysql_error(mysql.get());
    return server_error(reason_of(options.role, {number, mysql_sqlstate(mysql.get()), text}), options.server, number,
                        text)
        .context("while connecting");
  }
  if (options.tls != config::TlsMode::Disabled && mysql_get_ssl_cipher(mysql.get()) == nullptr) {
    return server_error(reason_of(options.role, {CR_SSL_CONNECTION_ERROR, "", ""}), options.server,
                        CR_SSL_CONNECTION_ERROR, "the server does not offer TLS");
  }
  return mysql;
}

base::Error Connection::Impl::error(const ServerError& error, std::string_view doing) {
  last_errno = error.number;
  if (connection_gone(error.number)) failed.store(true);
  return server_error(reason_of(options.role, error), options.server, error.number, error.text).context(doing);
}

base::Error Connection::Impl::error(std::string_view doing) {
  return error({mysql_errno(mysql.get()), mysql_sqlstate(mysql.get()), mysql_error(mysql.get())}, doing);
}

base::Result<void> Connection::Impl::usable() {
  if (!failed.load()) return {};
  return error({CR_SERVER_GONE_ERROR, "", "the connection was closed before"}, "while using a connection");
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

base::Result<std::unique_ptr<Connection>> Connection::open(const ConnectOptions& options) {
  DS_ASSIGN(MysqlPtr mysql, connect(options));
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->mariadb = mariadb_connection(mysql.get()) != 0;
  impl->bulk = takes_bulk(mysql.get());
  impl->version = mysql_get_server_info(mysql.get());
  impl->socket.set(duplicate_socket(mysql.get()));
  impl->mysql = std::move(mysql);
  std::unique_ptr<Connection> connection(new Connection(std::move(impl)));
  DS_TRY(set_session(*connection));
  return connection;
}

base::Result<std::uint64_t> Connection::execute(std::string_view sql) {
  DS_TRY(impl_->usable());
  MYSQL* mysql = impl_->mysql.get();
  if (mysql_real_query(mysql, sql.data(), sql.size()) != 0) return impl_->error("while executing");
  ResultPtr unwanted;
  if (!store_result(mysql, unwanted)) return impl_->error("while executing");
  const std::uint64_t affected = mysql_affected_rows(mysql);
  if (!drop_further_results(mysql)) return impl_->error("while executing");
  return affected;
}

base::Result<std::vector<Row>> Connection::query(std::string_view sql) {
  DS_TRY(impl_->usable());
  std::vector<Row> rows;
  if (!fetch_rows(impl_->mysql.get(), sql, rows)) return impl_->error("while querying");
  return rows;
}

base::Result<std::vector<NamedRow>> Connection::query_named(std::string_view sql) {
  DS_TRY(impl_->usable());
  std::vector<Row> rows;
  std::vector<std::string> names;
  if (!fetch_rows(impl_->mysql.get(), sql, rows, &names)) return impl_->error("while querying");
  std::vector<NamedRow> out;
  for (auto& row : rows) {
    auto& named = out.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) named[names[i]] = std::move(row[i]);
  }
  return out;
}

base::Result<std::optional<std::string>> Connection::query_one(std::string_view sql) {
  DS_ASSIGN(auto rows, query(sql));
  if (rows.empty() || rows.front().empty()) return std::optional<std::string>{};
  return std::move(rows.front().front());
}

base::Result<void> Connection::begin() {
  DS_TRY(execute("START TRANSACTION"));
  return {};
}

base::Result<void> Connection::commit() {
  DS_TRY(execute("COMMIT"));
  return {};
}

void Connection::rollback() noexcept {
  try {
    if (!impl_->failed.load() && execute("ROLLBACK")) return;
  } catch (...) {  // out of memory while creating the error: closing the connection below is sufficient
  }
  abort();
}

void Connection::abort() noexcept {
  impl_->failed.store(true);
  impl_->socket.shut_down();
}

unsigned Connection::last_errno() const noexcept {
  return impl_->last_errno;
}
const std::string& Connection::server_version() const noexcept {
  return impl_->version;
}
bool Connection::is_mariadb() const noexcept {
  return impl_->mariadb;
}
std::uint64_t Connection::thread_id() const noexcept {
  return mysql_thread_id(impl_->mysql.get());
}

}  // namespace datasync::sql
