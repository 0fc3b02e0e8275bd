#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"
#include "tests/support/session.hpp"

namespace datasync::test {

/// What a server shows and whom it trusts; it keeps copies of the files.
struct MariaDbTls {
  Certificate certificate;
  std::filesystem::path ca;  ///< for clients' certificates
};

/// What a user must bring besides the password: TLS, or TLS with a certificate of the server's authority.
enum class Require : std::uint8_t { Nothing, Tls, Certificate };

struct MariaDbOptions {
  std::string name = "mariadb";  ///< of its folder and log, and in messages
  bool read_only = false;        ///< a replica as capture wants it
  bool durable = false;          ///< sync at every commit; without it commits survive kill -9 but not the machine
  bool log_bin = true;           ///< ROW, FULL image, FULL metadata
  bool compress_binlog = false;  ///< log_bin_compress
  std::uint32_t buffer_pool_mb = 64;
  bool outlives = false;                ///< continues when this program ends
  std::vector<std::string> extra_args;  ///< come last, so they win: "--binlog-row-image=MINIMAL"
  /// Where it listens besides 127.0.0.1. Users of another address than that may come from anywhere.
  std::string address = "127.0.0.1";
  std::optional<MariaDbTls> tls;  ///< offers TLS
};

/// A real mariadbd on 127.0.0.1 with a data folder, port and server id of its own; both outlive kill and restart. User
/// root needs no password and comes from 127.0.0.1; user repl (password repl) may replicate. Stopped hard by the
/// destructor. One thread at a time.
class MariaDbServer {
 public:
  /// Starts it and waits until it answers. The data folder is made below `parent`.
  MariaDbServer(const std::filesystem::path& parent, MariaDbOptions options);
  MariaDbServer(MariaDbServer&&) noexcept = default;
  MariaDbServer& operator=(MariaDbServer&&) noexcept = default;
  ~MariaDbServer() = default;

  [[nodiscard]] std::uint16_t port() const noexcept { return lease_.port(); }
  [[nodiscard]] const std::string& address() const noexcept { return options_.address; }
  [[nodiscard]] std::uint32_t server_id() const noexcept { return lease_.server_id(); }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  [[nodiscard]] Process& process() noexcept { return process_; }
  [[nodiscard]] bool is_running() { return process_.is_running(); }

  void start();  ///< no effect on one that runs; waits until it answers
  void start_without_waiting();
  void wait_ready(milliseconds limit = milliseconds(60000));
  void stop();  ///< clean shutdown
  void kill();  ///< kill -9
  void restart() {
    stop();
    start();
  }
  void freeze() { process_.freeze(); }  ///< SIGSTOP: sockets stay open and silent
  void thaw() { process_.thaw(); }
  /// What it shows and trusts from the next connection on; connections that stand keep the old certificate.
  void replace_tls(const MariaDbTls& tls);
  void reload_tls();  ///< FLUSH SSL: reads the files of its folder tls again
  /// Arguments for the next start; replaces those of the options.
  void set_extra_args(std::vector<std::string> args) { options_.extra_args = std::move(args); }

  /// A new connection, as root or as another user.
  [[nodiscard]] Session connect(const std::string& user = "root", const std::string& password = "") const;
  // On a kept connection as root, opened again after a restart.
  std::uint64_t execute(std::string_view sql);
  std::vector<SqlRow> query(std::string_view sql);
  std::string value(std::string_view sql);
  std::int64_t number(std::string_view sql);
  /// Several statements, one after the other.
  void execute_all(const std::vector<std::string>& statements);

  /// Makes this server a replica of address:port by GTID (slave_pos) and starts it. A replica that was one before goes
  /// on from its position.
  void replicate_from(std::uint16_t port, const std::string& address = "127.0.0.1");
  void replicate_from(const MariaDbServer& primary) { replicate_from(primary.port(), primary.address()); }
  /// gtid_binlog_pos: everything in this server's binlog.
  std::string gtid();
  /// Waits until this replica has applied `gtid`; throws with its slave status when it has not within `limit`.
  void wait_for_gtid(const std::string& gtid, milliseconds limit = milliseconds(60000));

  // Users are made on the primary and reach the replicas by replication: a write of its own stops a strict GTID
  // replica.
  /// CREATE OR REPLACE USER with these privileges ON *.*, e.g. "SELECT, REPLICATION SLAVE".
  void create_user(const std::string& user, const std::string& password, const std::string& privileges,
                   Require require = Require::Nothing);
  /// A user with what capture needs and no more.
  void create_reader(const std::string& user, const std::string& password, Require require = Require::Nothing);
  /// A user with what apply needs and no more.
  void create_writer(const std::string& user, const std::string& password, Require require = Require::Nothing);

  /// The last lines of the server's log, for messages.
  [[nodiscard]] std::string log_tail() const;

 private:
  template <class Call>
  auto with_session(Call call);
  [[nodiscard]] std::vector<std::string> arguments() const;
  void copy_tls();
  /// Where users come from.
  [[nodiscard]] const char* user_host() const { return options_.address == "127.0.0.1" ? "127.0.0.1" : "%"; }

  MariaDbOptions options_;
  PortLease lease_;
  std::filesystem::path folder_;
  Process process_;
  std::unique_ptr<Session> session_;
};

}  // namespace datasync::test
