#pragma once
// Private to this folder: the C handles and the implementation of Connection. The only header that includes <mysql.h>.

#include <atomic>
#include <memory>

#include <errmsg.h>
#include <mysql.h>
// ma_pvio.h needs mysql.h before it.
#include <ma_pvio.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/client/mysql/errors.hpp"

namespace datasync::sql {

struct MysqlClose {
  void operator()(MYSQL* mysql) const noexcept { mysql_close(mysql); }
};
using MysqlPtr = std::unique_ptr<MYSQL, MysqlClose>;

struct ResultFree {
  void operator()(MYSQL_RES* result) const noexcept { mysql_free_result(result); }
};
using ResultPtr = std::unique_ptr<MYSQL_RES, ResultFree>;

struct StmtClose {
  void operator()(MYSQL_STMT* stmt) const noexcept { mysql_stmt_close(stmt); }
};
using StmtPtr = std::unique_ptr<MYSQL_STMT, StmtClose>;

/// A second descriptor of the connection's socket, so that another thread can shut the socket down while the library
/// owns (and may close) its own descriptor. It is valid as long as the connection object.
class SocketHandle {
 public:
  SocketHandle() = default;
  explicit SocketHandle(int fd) noexcept : fd_(fd) {}
  ~SocketHandle();
  SocketHandle(const SocketHandle&) = delete;
  SocketHandle& operator=(const SocketHandle&) = delete;
  void set(int fd) noexcept { fd_ = fd; }
  /// Makes every read and write on the socket return with an error. Thread-safe after `set`.
  void shut_down() const noexcept;

 private:
  int fd_ = -1;
};

struct Connection::Impl {
  ConnectOptions options;
  MysqlPtr mysql;
  SocketHandle socket;
  std::atomic<bool> failed{false};
  unsigned last_errno = 0;
  bool mariadb = false;
  bool bulk = false;                     ///< the server supports COM_STMT_BULK_EXECUTE
  std::uint64_t max_allowed_packet = 0;  ///< of the server
  std::string version;

  /// Returns the library's current error, and marks the connection as failed when it no longer exists.
  base::Error error(std::string_view doing);
  base::Error error(const ServerError& error, std::string_view doing);
  /// Returns an error when the connection has failed before.
  base::Result<void> usable();
};

/// Connects, without session settings.
base::Result<MysqlPtr> connect(const ConnectOptions& options);
/// Runs a small query and returns the rows of its first result. True only when every result arrived completely. False:
/// the library has the error, and `rows` is not valid.
bool fetch_rows(MYSQL* mysql, std::string_view sql, std::vector<Row>& rows, std::vector<std::string>* names = nullptr);
/// Returns a duplicate of the socket for `SocketHandle`.
int duplicate_socket(MYSQL* mysql) noexcept;

}  // namespace datasync::sql
