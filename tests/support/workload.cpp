#include "tests/support/workload.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "tests/support/eventually.hpp"
#include "tests/support/workload_client.hpp"

namespace datasync::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kAuditColumns =
    "seq BIGINT UNSIGNED NOT NULL, client INT NOT NULL, what VARCHAR(80) NOT NULL, at DATETIME(6) NOT NULL";

std::vector<std::string> definitions(const std::string& database) {
  const auto table = [&](const char* name, const std::string& columns) {
    return fmt::format("CREATE TABLE {}.{} ({})", quote_name(database), name, columns);
  };
  return {
      "CREATE DATABASE " + quote_name(database),
      table("accounts",
            "id INT PRIMARY KEY, owner VARCHAR(40) NOT NULL, balance DECIMAL(18,0) NOT NULL, "
            "moves BIGINT UNSIGNED NOT NULL DEFAULT 0, "
            "changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)"),
      table("audit", std::string(kAuditColumns) + ", PRIMARY KEY (seq)"),
      table("orders",
            "id BIGINT UNSIGNED PRIMARY KEY, customer INT NOT NULL, state ENUM('new','paid','sent','back') NOT NULL, "
            "total DECIMAL(12,2) NOT NULL, note VARCHAR(200), created DATETIME(3) NOT NULL, KEY (customer)"),
      table("order_items",
            fmt::format(
                "order_id BIGINT UNSIGNED NOT NULL, line SMALLINT NOT NULL, sku VARCHAR(30) NOT NULL, quantity INT "
                "UNSIGNED NOT NULL, price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, line), "
                "FOREIGN KEY (order_id) REFERENCES {}.orders (id)",
                quote_name(database))),
      table("places", "id BIGINT UNSIGNED PRIMARY KEY, seat INT UNIQUE, label VARCHAR(200)"),
  };
}

std::vector<std::string> first_rows(const WorkloadOptions& o) {
  const auto db = quote_name(o.database);
  return {
      fmt::format(
          "INSERT INTO {}.accounts (id, owner, balance) SELECT seq, CONCAT('owner ', seq), {} FROM mysql.seq_1_to_{}",
          db, o.opening_balance, o.accounts),
      fmt::format("INSERT INTO {}.orders SELECT seq, seq % 500, 'new', seq / 100, NULL, '2026-01-01 00:00:00.5' FROM "
                  "mysql.seq_1_to_{}",
                  db, o.orders),
      fmt::format(
          "INSERT INTO {}.order_items SELECT seq, 1, CONCAT('sku-', seq % 300), 1, seq / 100 FROM mysql.seq_1_to_{}",
          db, o.orders),
      fmt::format("INSERT INTO {}.places SELECT seq, seq, CONCAT('place ', seq) FROM mysql.seq_1_to_300", db),
  };
}

std::vector<std::string> qualified(const std::string& database, std::initializer_list<const char*> names) {
  std::vector<std::string> result;
  for (const char* name : names) result.push_back(database + "." + name);
  return result;
}

/// A pause that `stop` ends.
void pause(const std::stop_token& stop, milliseconds length) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, length, [] { return false; });
}

/// Lets `rate` steps a second through, none saved up for later.
class Pace {
 public:
  explicit Pace(double rate) : rate_(rate) {}
  void wait(const std::stop_token& stop) {
    if (rate_ <= 0) return;
    const auto now = Clock::now();
    next_ =
        std::max(next_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1.0 / rate_)), now);
    if (next_ > now) pause(stop, std::chrono::ceil<milliseconds>(next_ - now));
  }

 private:
  double rate_;
  Clock::time_point next_ = Clock::now();
};

}  // namespace

void Workload::create(MariaDbServer& server, const WorkloadOptions& options) {
  server.execute_all(definitions(options.database));
  server.execute_all(first_rows(options));
}

void Workload::create_unguarded_audit(MariaDbServer& destination, const std::string& database) {
  destination.execute_all({"CREATE DATABASE IF NOT EXISTS " + quote_name(database),
                           fmt::format("CREATE TABLE {}.audit ({})", quote_name(database), kAuditColumns)});
}

std::vector<std::string> Workload::bank_tables(const std::string& database) {
  return qualified(database, {"accounts", "audit"});
}
std::vector<std::string> Workload::shop_tables(const std::string& database) {
  return qualified(database, {"orders", "order_items", "places"});
}
std::vector<std::string> Workload::tables(const std::string& database) {
  return qualified(database, {"accounts", "audit", "orders", "order_items", "places"});
}

struct Workload::Impl {
  Impl(std::uint16_t p, WorkloadOptions o) : port(p), options(std::move(o)) {
    shared.next_order = static_cast<std::uint64_t>(options.orders) + 1;
    shared.next_place = 301;
    for (int i = 0; i < options.clients; ++i) clients.emplace_back(i, options, shared);
  }

  std::uint16_t port;
  WorkloadOptions options;
  WorkloadShared shared;
  std::vector<WorkloadClient> clients;
  std::vector<std::jthread> threads;  ///< last: joined before what they use goes

  void serve(const std::stop_token& stop, WorkloadClient& client) {
    std::optional<Session> session;
    Pace pace(static_cast<double>(options.per_second) / options.clients);
    while (!stop.stop_requested()) {
      pace.wait(stop);
      try {
        if (!session) session.emplace(Login{port, "root", ""});
        client.step(*session);
      } catch (const SqlError&) {
        session.reset();  // the server rolls back
        ++shared.failed;
        pause(stop, milliseconds(20));
      }
    }
  }
};

Workload::Workload(std::uint16_t port, WorkloadOptions options)
    : impl_(std::make_unique<Impl>(port, std::move(options))) {}
Workload::~Workload() {
  stop();
}

void Workload::start() {
  if (!impl_->threads.empty()) return;
  for (auto& client : impl_->clients) {
    impl_->threads.emplace_back([this, &client](const std::stop_token& stop) { impl_->serve(stop, client); });
  }
}

void Workload::stop() {
  for (auto& thread : impl_->threads) thread.request_stop();
  impl_->threads.clear();
}

void Workload::run(std::uint64_t transactions, milliseconds limit) {
  const auto goal = committed() + transactions;
  start();
  const bool done = eventually([&] { return committed() >= goal; }, limit);
  stop();
  if (!done) throw std::runtime_error(fmt::format("only {} of {} transactions in time", committed(), goal));
}

std::uint64_t Workload::committed() const noexcept {
  return impl_->shared.committed;
}
std::uint64_t Workload::rolled_back() const noexcept {
  return impl_->shared.rolled_back;
}
std::uint64_t Workload::failed() const noexcept {
  return impl_->shared.failed;
}
std::int64_t Workload::bank_total() const noexcept {
  return impl_->options.opening_balance * impl_->options.accounts;
}

struct ReaderCheck::Impl {
  std::uint16_t port = 0;
  std::string sql;
  std::string expected;
  std::atomic<std::uint64_t> reads = 0, violations = 0;
  mutable std::mutex mutex;
  std::string first;
  std::jthread thread;  ///< last

  void serve(const std::stop_token& stop) {
    std::optional<Session> session;
    while (!stop.stop_requested()) {
      try {
        if (!session) session.emplace(Login{port, "root", ""});
        check(session->value(sql));
        pause(stop, milliseconds(1));
      } catch (const SqlError&) {
        session.reset();
        pause(stop, milliseconds(50));
      }
    }
  }

  void check(const std::string& seen) {
    ++reads;
    if (seen == expected) return;
    const std::lock_guard lock(mutex);
    if (violations++ == 0) first = fmt::format("rows and sum of balances are {}, not {}", seen, expected);
  }
};

ReaderCheck::ReaderCheck(std::uint16_t port, std::string accounts_table, std::int64_t accounts, std::int64_t total)
    : impl_(std::make_unique<Impl>()) {
  impl_->port = port;
  impl_->sql = "SELECT CONCAT(COUNT(*), ' / ', SUM(balance)) FROM " + quote_table(accounts_table);
  impl_->expected = fmt::format("{} / {}", accounts, total);
  impl_->thread = std::jthread([this](const std::stop_token& stop) { impl_->serve(stop); });
}
ReaderCheck::~ReaderCheck() {
  stop();
}

void ReaderCheck::stop() {
  impl_->thread.request_stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}
std::uint64_t ReaderCheck::reads() const noexcept {
  return impl_->reads;
}
std::uint64_t ReaderCheck::violations() const noexcept {
  return impl_->violations;
}
std::string ReaderCheck::first_violation() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->first;
}

std::int64_t repeated_audit_rows(Session& session, const std::string& database) {
  return session.number(fmt::format("SELECT COUNT(*) - COUNT(DISTINCT seq) FROM {}.audit", quote_name(database)));
}

}  // namespace datasync::test
