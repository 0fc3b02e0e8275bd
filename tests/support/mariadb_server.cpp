#include "tests/support/mariadb_server.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/support/eventually.hpp"
#include "tests/support/tail.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

// 127.0.0.1 by name: the servers run with skip_name_resolve, and root is distinguished by host.
constexpr const char* kUsers = R"(FLUSH PRIVILEGES;
CREATE OR REPLACE USER root@'127.0.0.1';
GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
CREATE OR REPLACE USER repl@'127.0.0.1' IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1';
DROP USER IF EXISTS ''@'localhost';
)";
constexpr const char* kLogFileSize = "--innodb-log-file-size=32M";

std::string program() {
  for (const char* path : {"/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd", "/usr/libexec/mariadbd"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return "mariadbd";
}

/// mariadbd refuses to run as root unless an option allows it.
std::vector<std::string> user_option() {
  return geteuid() == 0 ? std::vector<std::string>{"--user=root"} : std::vector<std::string>{};
}

/// An empty data folder of the installed version, made once.
std::filesystem::path template_folder() {
  const auto words = run({program(), "--no-defaults", "--version"});
  const auto at = words.find("Ver ") + 4;
  const auto version = words.substr(at, words.find(' ', at) - at);
  return cached(fmt::format("mariadb/{}.{}.1", version, geteuid()), [](const std::filesystem::path& folder) {
    const TempDir temp;
    write_file(temp.path() / "users.sql", kUsers);
    std::vector<std::string> args{"mariadb-install-db",
                                  "--no-defaults",
                                  "--datadir=" + (folder / "data").string(),
                                  "--auth-root-authentication-method=normal",
                                  "--skip-test-db",
                                  "--skip-name-resolve",
                                  kLogFileSize,
                                  "--extra-file=" + (temp.path() / "users.sql").string()};
    for (auto& option : user_option()) args.push_back(option);
    run(args);
  });
}

}  // namespace

MariaDbServer::MariaDbServer(const std::filesystem::path& parent, MariaDbOptions options)
    : options_(std::move(options)), folder_(parent / fmt::format("{}-{}", options_.name, lease_.port())) {
  std::filesystem::create_directories(folder_ / "tmp");
  copy_tree(template_folder() / "data", folder_ / "data");
  copy_tls();
  start();
  if (user_host() == std::string_view("%")) {  // not in the binlog: every server does this by itself
    execute_all({"SET sql_log_bin=0", "CREATE USER repl@'%' IDENTIFIED BY 'repl'",
                 "GRANT REPLICATION SLAVE ON *.* TO repl@'%'", "SET sql_log_bin=1"});
  }
}

void MariaDbServer::copy_tls() {
  if (!options_.tls) return;
  std::filesystem::create_directories(folder_ / "tls");
  write_file(folder_ / "tls/cert.pem", read_file(options_.tls->certificate.certificate));
  write_file(folder_ / "tls/key.pem", read_file(options_.tls->certificate.key));
  write_file(folder_ / "tls/ca.pem", read_file(options_.tls->ca));
}

void MariaDbServer::replace_tls(const MariaDbTls& tls) {
  options_.tls = tls;
  copy_tls();
  reload_tls();
}

void MariaDbServer::reload_tls() {
  execute("FLUSH LOCAL SSL");  // LOCAL: not into the binlog
}

std::vector<std::string> MariaDbServer::arguments() const {
  std::vector<std::string> args{
      program(),
      "--no-defaults",
      "--datadir=" + (folder_ / "data").string(),
      // Its own: at its start a server removes the internal temporary tables of every server that shares its folder,
      // and those crash then (10.11.19: segmentation fault in ha_maria::drop_table).
      "--tmpdir=" + (folder_ / "tmp").string(),
      "--socket=" + (folder_ / "socket").string(),
      "--pid-file=" + (folder_ / "pid").string(),
      fmt::format("--port={}", port()),
      "--bind-address=127.0.0.1" + (options_.address == "127.0.0.1" ? "" : "," + options_.address),
      "--skip-name-resolve",
      fmt::format("--server-id={}", server_id()),
      "--gtid-strict-mode=ON",
      "--log-slave-updates=ON",
      fmt::format("--read-only={}", options_.read_only ? "ON" : "OFF"),
      "--skip-slave-start=OFF",
      "--slave-net-timeout=10",
      "--character-set-server=utf8mb4",
      "--collation-server=utf8mb4_general_ci",
      "--max-allowed-packet=1G",
      "--performance-schema=OFF",
      fmt::format("--innodb-buffer-pool-size={}M", options_.buffer_pool_mb),
      kLogFileSize,
      "--innodb-fast-shutdown=1",
      "--innodb-buffer-pool-dump-at-shutdown=OFF",
      "--innodb-buffer-pool-load-at-startup=OFF",
      "--aria-pagecache-buffer-size=8M",
      "--key-buffer-size=8M",
      "--table-open-cache=400",
      // 2 and 0 hand every commit to the operating system without a sync: it survives kill -9.
      fmt::format("--innodb-flush-log-at-trx-commit={}", options_.durable ? 1 : 2),
      fmt::format("--sync-binlog={}", options_.durable ? 1 : 0),
  };
  for (auto& option : user_option()) args.push_back(option);
  if (options_.log_bin) {
    for (const char* option : {"--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL",
                               "--binlog-row-metadata=FULL", "--relay-log=relay", "--max-binlog-size=256M"}) {
      args.emplace_back(option);
    }
    args.push_back(fmt::format("--log-bin-compress={}", options_.compress_binlog ? "ON" : "OFF"));
  }
  if (options_.tls) {
    for (const char* what : {"cert", "key", "ca"}) {
      args.push_back(fmt::format("--ssl-{}={}", what, (folder_ / "tls" / (std::string(what) + ".pem")).string()));
    }
  }
  args.insert(args.end(), options_.extra_args.begin(), options_.extra_args.end());
  return args;
}

void MariaDbServer::start() {
  if (process_.is_running()) return;
  start_without_waiting();
  wait_ready();
}

void MariaDbServer::start_without_waiting() {
  ProcessOptions options;
  options.args = arguments();
  options.log = folder_ / "log";
  options.outlives = options_.outlives;
  process_ = Process::start(options);
}

void MariaDbServer::wait_ready(milliseconds limit) {
  const bool ready = eventually(
      [this] {
        if (!process_.is_running()) throw std::runtime_error(fmt::format("{} ended:\n{}", name(), log_tail()));
        if (!accepts_connections(port())) return false;
        try {
          session_ = std::make_unique<Session>(connect());
          return true;
        } catch (const SqlError&) {
          return false;
        }
      },
      limit);
  if (!ready) throw std::runtime_error(fmt::format("{} did not answer:\n{}", name(), log_tail()));
}

void MariaDbServer::stop() {
  session_.reset();
  process_.terminate(milliseconds(60000));
}

void MariaDbServer::kill() {
  session_.reset();
  process_.kill();
}

Session MariaDbServer::connect(const std::string& user, const std::string& password) const {
  return Session(Login{port(), user, password});
}

template <class Call>
auto MariaDbServer::with_session(Call call) {
  if (!session_) session_ = std::make_unique<Session>(connect());
  try {
    return call(*session_);
  } catch (const SqlError&) {
    session_.reset();  // it may be broken, and a failed statement may have left a transaction open
    throw;
  }
}

std::uint64_t MariaDbServer::execute(std::string_view sql) {
  return with_session([&](Session& s) { return s.execute(sql); });
}
std::vector<SqlRow> MariaDbServer::query(std::string_view sql) {
  return with_session([&](Session& s) { return s.query(sql); });
}
std::string MariaDbServer::value(std::string_view sql) {
  return with_session([&](Session& s) { return s.value(sql); });
}
std::int64_t MariaDbServer::number(std::string_view sql) {
  return with_session([&](Session& s) { return s.number(sql); });
}

void MariaDbServer::execute_all(const std::vector<std::string>& statements) {
  for (const auto& statement : statements) execute(statement);
}

void MariaDbServer::replicate_from(std::uint16_t primary_port, const std::string& address) {
  execute_all({"STOP SLAVE",
               fmt::format("CHANGE MASTER TO MASTER_HOST={}, MASTER_PORT={}, MASTER_USER='repl', "
                           "MASTER_PASSWORD='repl', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, "
                           "MASTER_HEARTBEAT_PERIOD=2",
                           quote(address), primary_port),
               "START SLAVE"});
}

std::string MariaDbServer::gtid() {
  return value("SELECT @@GLOBAL.gtid_binlog_pos");
}

void MariaDbServer::wait_for_gtid(const std::string& gtid, milliseconds limit) {
  if (gtid.empty()) return;
  const auto seconds = static_cast<double>(limit.count()) / 1000.0;
  if (value(fmt::format("SELECT MASTER_GTID_WAIT({}, {})", quote(gtid), seconds)) == "0") return;
  std::string status;
  const auto rows = query("SHOW SLAVE STATUS");
  for (const auto& field : rows.at(0)) status += field.value_or("") + " | ";
  throw std::runtime_error(fmt::format("{} did not reach {}: {}", name(), gtid, status));
}

void MariaDbServer::create_user(const std::string& user, const std::string& password, const std::string& privileges,
                                Require require) {
  const auto account = fmt::format("{}@'{}'", quote(user), user_host());
  const char* clause = require == Require::Nothing ? "" : require == Require::Tls ? " REQUIRE SSL" : " REQUIRE X509";
  execute_all({fmt::format("CREATE OR REPLACE USER {} IDENTIFIED BY {}{}", account, quote(password), clause),
               fmt::format("GRANT {} ON *.* TO {}", privileges, account)});
}

void MariaDbServer::create_reader(const std::string& user, const std::string& password, Require require) {
  create_user(user, password, "SELECT, REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR", require);
}

void MariaDbServer::create_writer(const std::string& user, const std::string& password, Require require) {
  create_user(user, password, "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES", require);
}

std::string MariaDbServer::log_tail() const {
  return tail_of(folder_ / "log", 3000);
}

}  // namespace datasync::test
