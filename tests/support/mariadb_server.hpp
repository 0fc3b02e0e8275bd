#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"
#include "tests/support/session.hpp"

namespace datasync::test {

struct MariaDbOptions {
  std::string name = "mariadb";  ///< of its folder and log, and in messages
  bool read_only = false;        ///< a replica as capture wants it
  bool durable = false;          ///< sync at every commit; without it commits survive kill -9 but not the machine
  bool log_bin = true;           ///< ROW, FULL image, FULL metadata
  bool compress_binlog = false;  ///< log_bin_compress
  std::uint32_t buffer_pool_mb = 64;
  bool outlives = false;                ///< goes on when this program ends
  std::vector<std::string> extra_args;  ///< come last, so they win: "--binlog-row-image=MINIMAL"
};

/// A real mariadbd on 127.0.0.1 with a data folder, port and server id of its own; both outlive kill and restart. User
/// root needs no password; user repl (password repl) may replicate. Stopped hard by the destructor. One thread at a
/// time.
class MariaDbServer {
 public:
  /// Starts it and waits until it answers. The data folder is made below `parent`.
  MariaDbServer(const std::filesystem::path& parent, MariaDbOptions options);
  MariaDbServer(MariaDbServer&&) noexcept = default;
  MariaDbServer& operator=(MariaDbServer&&) noexcept = default;
  ~MariaDbServer() = default;

  [[nodiscard]] std::uint16_t port() const noexcept { return lease_.port(); }
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
  /// Arguments for the next start; replaces those of the options.
  void set_extra_args(std::vector<std::string> args) { options_.extra_args = std::move(args); }

  /// A new connection, as root or as somebody else.
  [[nodiscard]] Session connect(const std::string& user = "root", const std::string& password = "") const;
  // On a kept connection as root, opened again after a restart.
  std::uint64_t execute(std::string_view sql);
  std::vector<SqlRow> query(std::string_view sql);
  std::string value(std::string_view sql);
  std::int64_t number(std::string_view sql);
  /// Several statements, one after the other.
  void execute_all(const std::vector<std::string>& statements);

  /// Makes this server a replica of `port` on 127.0.0.1 by GTID (slave_pos) and starts it. A replica that was one
  /// before goes on from its position.
  void replicate_from(std::uint16_t port);
  void replicate_from(const MariaDbServer& primary) { replicate_from(primary.port()); }
  /// gtid_binlog_pos: everything in this server's binlog.
  std::string gtid();
  /// Waits until this replica has applied `gtid`; throws with its slave status when it has not within `limit`.
  void wait_for_gtid(const std::string& gtid, milliseconds limit = milliseconds(60000));

  // Users are made on the primary and reach the replicas by replication: a write of its own stops a strict GTID
  // replica.
  /// CREATE OR REPLACE USER with these privileges ON *.*, e.g. "SELECT, REPLICATION SLAVE".
  void create_user(const std::string& user, const std::string& password, const std::string& privileges);
  /// A user with what capture needs and no more.
  void create_reader(const std::string& user, const std::string& password);
  /// A user with what apply needs and no more.
  void create_writer(const std::string& user, const std::string& password);

  /// The last lines of the server's log, for messages.
  [[nodiscard]] std::string log_tail() const;

 private:
  template <class Call>
  auto with_session(Call call);
  [[nodiscard]] std::vector<std::string> arguments() const;

  MariaDbOptions options_;
  PortLease lease_;
  std::filesystem::path folder_;
  Process process_;
  std::unique_ptr<Session> session_;
};

}  // namespace datasync::test
