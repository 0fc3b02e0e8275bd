#include "tests/integration/source_engines.hpp"

#include <map>

#include <fmt/format.h>

#include "agents/source/mariadb/source.hpp"
#include "agents/source/memory/memory.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

constexpr std::uint64_t kMaxRow = std::uint64_t{64} << 20U;

class MariaDbSource final : public SourceUnderTest {
 public:
  MariaDbSource() : server_(folder_.path(), {.name = "source", .read_only = false}) {
    server_.execute("CREATE DATABASE a");
    server_.create_reader("reader", "secret");
    write_credentials(folder_.path() / "secrets", "reader", "reader", "secret");
    config_.common.secrets_dir = folder_.path() / "secrets";
    config_.credentials = {{"reader", "username"}, {"reader", "password"}};
    engine_ = source::mariadb::make_engine(config_, kMaxRow);
  }
  [[nodiscard]] const source::Engine& engine() const override { return *engine_; }
  [[nodiscard]] config::HostPort server() const override { return {"127.0.0.1", server_.port()}; }

  void create_table(const std::string& name, bool key) override {
    server_.execute(
        fmt::format("CREATE OR REPLACE TABLE {} (id BIGINT NOT NULL{}, v VARCHAR(200) NULL) CHARSET utf8mb4", name,
                    key ? " PRIMARY KEY" : ""));
  }
  void drop_table(const std::string& name) override { server_.execute("DROP TABLE IF EXISTS " + name); }
  void insert(const std::string& table, std::int64_t id, const std::string& v) override {
    server_.execute(fmt::format("INSERT INTO {} VALUES ({}, '{}')", table, id, v));
  }
  void update(const std::string& table, std::int64_t id, const std::string& v) override {
    server_.execute(fmt::format("UPDATE {} SET v = '{}' WHERE id = {}", table, v, id));
  }
  void remove(const std::string& table, std::int64_t id) override {
    server_.execute(fmt::format("DELETE FROM {} WHERE id = {}", table, id));
  }
  void truncate(const std::string& table) override { server_.execute("TRUNCATE TABLE " + table); }
  void create_child(const std::string& name, const std::string& parent) override {
    server_.execute(
        fmt::format("CREATE OR REPLACE TABLE {} (id BIGINT NOT NULL PRIMARY KEY, v VARCHAR(200) NULL, "
                    "CONSTRAINT refers FOREIGN KEY (id) REFERENCES {} (id) ON DELETE CASCADE) CHARSET utf8mb4",
                    name, parent));
  }
  void insert_with_falling_numbers(const std::string& table, std::int64_t first, std::int64_t second) override {
    constexpr int kAbove = 10, kBelow = 5;
    const auto position = message::GtidSet::parse(server_.value("SELECT @@GLOBAL.gtid_binlog_pos"));
    const auto number = position->domains().at(0).sequence;
    server_.execute_all({"SET GLOBAL gtid_strict_mode=OFF", fmt::format("SET SESSION gtid_seq_no={}", number + kAbove),
                         fmt::format("INSERT INTO {} VALUES ({}, 'high')", table, first),
                         fmt::format("SET SESSION gtid_seq_no={}", number + kBelow),
                         fmt::format("INSERT INTO {} VALUES ({}, 'low')", table, second),
                         "SET GLOBAL gtid_strict_mode=ON"});
  }
  void restart() override { server_.restart(); }
  void purge() override {  // a file that the server may still need for its own recovery stays for a moment
    const auto purged = [this] {
      server_.execute("FLUSH BINARY LOGS");
      server_.execute(fmt::format("PURGE BINARY LOGS TO '{}'", server_.value("SHOW MASTER STATUS")));
      return server_.query("SHOW BINARY LOGS").size() == 1;
    };
    await("old binlogs are purged", purged, std::chrono::seconds(30));
  }

 private:
  TempDir folder_;
  MariaDbServer server_;
  config::Capture config_;
  std::unique_ptr<source::Engine> engine_;
};

class MemorySource final : public SourceUnderTest {
 public:
  [[nodiscard]] const source::Engine& engine() const override { return *engine_; }
  [[nodiscard]] config::HostPort server() const override { return {"memory", 1}; }

  void create_table(const std::string& name, bool key) override {
    rows_[name].clear();
    database_->create_table(name, {{"id", false, false}, {"v", true}},
                            key ? std::vector<std::uint16_t>{0} : std::vector<std::uint16_t>{});
  }
  void drop_table(const std::string& name) override { database_->drop_table(name); }
  void insert(const std::string& table, std::int64_t id, const std::string& v) override {
    database_->commit({source::memory::insert(table, {id, v})});
    rows_[table][id] = v;
  }
  void update(const std::string& table, std::int64_t id, const std::string& v) override {
    database_->commit({source::memory::update(table, {id, rows_[table].at(id)}, {id, v})});
    rows_[table][id] = v;
  }
  void remove(const std::string& table, std::int64_t id) override {
    database_->commit({source::memory::remove(table, {id, rows_[table].at(id)})});
    rows_[table].erase(id);
  }
  void truncate(const std::string& table) override {
    database_->create_table(table, {{"id", false, false}, {"v", true}});
    database_->commit({source::memory::statement("TRUNCATE TABLE " + table)});
  }
  void create_child(const std::string& name, const std::string& parent) override {
    create_table(name, true);
    const auto dot = parent.find('.');
    database_->acting_keys[name] = {
        {"refers", {"id"}, parent.substr(0, dot), parent.substr(dot + 1), {"id"}, "RESTRICT", "CASCADE"}};
  }
  /// Numbers never fall here: the transactions are named as those that are before every new stream.
  void insert_with_falling_numbers(const std::string& table, std::int64_t first, std::int64_t second) override {
    for (const auto& [id, v] : {std::pair{first, "high"}, {second, "low"}}) {
      database_->before_start.push_back(database_->commit({source::memory::insert(table, {id, v})}));
      rows_[table][id] = v;
    }
  }
  void restart() override { database_->restart(); }
  void purge() override { database_->purge(); }

 private:
  std::shared_ptr<source::memory::Database> database_ = std::make_shared<source::memory::Database>("memory");
  std::map<std::string, std::map<std::int64_t, std::string>> rows_;
  std::unique_ptr<source::Engine> engine_ = source::memory::make_engine({{"memory:1", database_}});
};

}  // namespace

std::unique_ptr<SourceUnderTest> mariadb_source() {
  return std::make_unique<MariaDbSource>();
}

std::unique_ptr<SourceUnderTest> memory_source() {
  return std::make_unique<MemorySource>();
}

}  // namespace datasync::test
