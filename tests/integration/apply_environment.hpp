#pragma once
// A destination, a broker, a topic per test, and records made by hand.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/config/config.hpp"
#include "agents/kafka/producer.hpp"
#include "agents/message/record.hpp"
#include "agents/protocol/log.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/proxy.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test::apply_environment {

/// One row change: bytes in the compact layout of its table.
struct Row {
  bool child = false;
  std::string bytes;
};

/// The table of each test is DATABASE.t (id INT PRIMARY KEY, name VARCHAR(10)), in a database of its own.
class Environment {
 public:
  Environment();
  ~Environment();

  /// Another topic, database and task for the next test.
  void fresh(const std::string& test);
  void stop_agents();

  [[nodiscard]] config::Apply config() const;
  /// The same, through a proxy in front of the destination.
  [[nodiscard]] config::Apply proxied() const;
  void start_agent() { start_agent(config()); }
  void start_agent(const config::Apply& config);
  Agent& start_second();
  Agent& agent() { return *agents_.front(); }
  Proxy& proxy() { return proxy_; }
  MariaDbServer& destination() { return destination_; }

  [[nodiscard]] const std::string& database() const { return database_; }
  [[nodiscard]] std::string table() const { return "`" + database_ + "`.`t`"; }
  [[nodiscard]] std::string plain_table() const { return database_ + ".t"; }
  void create_table(const std::string& more = "", const std::string& collation = "utf8mb4_general_ci");
  void create_child_table();

  [[nodiscard]] message::TableSchema schema() const;
  [[nodiscard]] Row insert(int id, const std::string& name) const;
  [[nodiscard]] Row update(int id, const std::string& name, int new_id, const std::string& new_name) const;
  [[nodiscard]] Row erase(int id, const std::string& name) const;
  [[nodiscard]] Row insert_child(int id, int parent) const;
  [[nodiscard]] Row update_child(int id, int parent, int new_parent) const;
  [[nodiscard]] Row erase_child(int id, int parent) const;
  [[nodiscard]] static Row truncate();
  void add_source_column();

  void transaction(const std::vector<Row>& rows);
  void fragment(const std::vector<Row>& rows, std::uint32_t number, message::End end,
                const std::string& type = "orders");
  void end_transaction() { ++sequence_; }
  void new_epoch();
  void snapshot_begin();
  void snapshot_chunk(const std::vector<Row>& rows);
  void snapshot_end();
  void drop_note();
  void verify(const std::vector<std::pair<int, std::string>>& rows);
  std::int64_t put_foreign_bytes();
  /// As a newer version, or a damage, might leave it.
  std::int64_t put_unreadable_headers();

  /// "1=a 2=b": waits until the table holds just this.
  bool becomes(const std::string& wanted, milliseconds limit = milliseconds(40000));
  bool counts_to(std::int64_t rows, milliseconds limit = milliseconds(90000));
  bool table_disappears();
  std::uint64_t duplicates();
  std::string diagnostics();

 private:
  [[nodiscard]] message::TableSchema child_schema() const;
  void publish(const message::TableSchema& schema);
  [[nodiscard]] std::vector<message::TableRows> tables(const std::vector<Row>& rows) const;
  void put(const message::Headers& headers, const std::string& value);
  [[nodiscard]] std::string image(int id, const std::string& name) const;
  std::string content();

  TempDir folder_;
  KafkaBroker broker_;
  MariaDbServer destination_;
  Proxy proxy_;
  std::string test_, topic_, database_;
  config::Credentials credentials_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<protocol::StateLog> state_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::uint64_t epoch_ = 1;
  std::uint64_t sequence_ = 1;
  std::int64_t next_offset_ = 0;
  bool wide_ = false;  ///< the source table has one more column
};

}  // namespace datasync::test::apply_environment
