#pragma once
// A connection to a MariaDB or MySQL server, using Connector/C.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/base/secret.hpp"
#include "agents/config/config.hpp"

namespace datasync::sql {

/// The role of the server; it determines the reasons of errors (SourceUnreachable or DestinationUnreachable, ...).
enum class Role : std::uint8_t { Source, Destination };

/// The server, the user and the limits of a connection.
struct ConnectOptions {
  Role role = Role::Source;
  config::HostPort server;
  std::string user;
  base::Secret password;
  config::TlsMode tls = config::TlsMode::Disabled;
  std::string tls_ca_file;
  std::chrono::seconds connect_timeout{5};
  std::chrono::seconds read_timeout{60};  ///< of one network read; a statement that takes longer fails
  std::chrono::seconds write_timeout{60};
  std::uint64_t max_packet = std::uint64_t{1} << 30U;  ///< of the largest response: a row is held in memory as a whole
  bool found_rows = false;  ///< affected rows of UPDATE are the matched rows, not only the changed ones
};

/// Reads user and password from the secrets directory at each call (they rotate) and sets the other options. Errors:
/// SecretNotFound.
base::Result<ConnectOptions> connect_options(Role role, const config::HostPort& server,
                                             const config::Credentials& credentials, const config::ServerTls& tls,
                                             const std::filesystem::path& secrets_dir);

/// A row of a small administrative query; NULL is nullopt.
using Row = std::vector<std::optional<std::string>>;
using NamedRow = std::map<std::string, std::optional<std::string>, std::less<>>;

/// Not thread-safe: one owner thread, except for `abort`. Errors contain the server's number and text; see errors.hpp
/// for the mapping to reasons. A failed connection cannot be used again: open a new one.
class Connection {
 public:
  /// Connects and sets the session: utf8mb4, time zone +00:00, a strict sql_mode, autocommit on; it does not depend on
  /// the server's defaults.
  static base::Result<std::unique_ptr<Connection>> open(const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs a statement without a result; returns the affected rows.
  base::Result<std::uint64_t> execute(std::string_view sql);
  /// Runs a small query and returns all of its result as text; an incomplete result is an error.
  base::Result<std::vector<Row>> query(std::string_view sql);
  /// As query, with each row by the names of its columns: for results whose columns differ between versions.
  base::Result<std::vector<NamedRow>> query_named(std::string_view sql);
  /// Returns the first column of the first row; nullopt when there is no row or the value is NULL.
  base::Result<std::optional<std::string>> query_one(std::string_view sql);

  /// Start and commit a transaction.
  base::Result<void> begin();
  base::Result<void> commit();
  /// Never fails: a connection that cannot roll back is closed, and the server rolls back.
  void rollback() noexcept;

  /// Interrupts a call that is blocked on the network in another thread; the connection has failed from then on.
  /// Thread-safe.
  void abort() noexcept;

  [[nodiscard]] unsigned last_errno() const noexcept;  ///< of the last failed call; 0 when none
  [[nodiscard]] const std::string& server_version() const noexcept;
  [[nodiscard]] bool is_mariadb() const noexcept;
  [[nodiscard]] std::uint64_t thread_id() const noexcept;

  struct Impl;  ///< for the other files of this folder
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }

 private:
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

std::string quote_identifier(std::string_view name);  ///< `a``b`
std::string quote_identifier(std::string_view database, std::string_view table);
std::string quote_text(std::string_view text);  ///< 'it''s', safe in every sql_mode used here

}  // namespace datasync::sql
