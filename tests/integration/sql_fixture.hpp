#pragma once
// What the tests of the sql layer share: a real server with two databases, and rows copied between them by the layer.

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/client/mysql/connection.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "agents/destination/mariadb/bulk.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::sql {

class SqlTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempDir;
    server_ = new test::MariaDbServer(folder_->path(), {.name = "sql", .extra_args = {"--max-allowed-packet=16M"}});
  }
  static void TearDownTestSuite() {
    delete server_;
    delete folder_;
  }

  void SetUp() override {
    server_->execute("CREATE OR REPLACE DATABASE a");
    server_->execute("CREATE OR REPLACE DATABASE b");
  }

  static ConnectOptions options(Role role = Role::Destination) {
    ConnectOptions o;
    o.role = role;
    o.server = {"127.0.0.1", server_->port()};
    o.user = "root";
    o.found_rows = role == Role::Destination;
    return o;
  }
  static std::unique_ptr<Connection> connect(Role role = Role::Destination) {
    auto connection = Connection::open(options(role));
    EXPECT_TRUE(connection) << connection.error().what;
    return connection ? std::move(*connection) : nullptr;
  }

  static message::TableSchema schema_of(const std::string& database, const std::string& table) {
    auto connection = connect();
    auto info = read_table_info(*connection, database, table);
    if (!info) throw std::runtime_error(info.error().what);
    if (!*info) throw std::runtime_error("no table " + table);
    return (*info)->schema;
  }

  static std::string insert_text(const message::TableSchema& schema, const std::string& database) {
    std::string names, values;
    for (const auto& c : schema.columns) {
      if (c.generated) continue;
      names += (names.empty() ? "" : ",") + quote_identifier(c.name);
      values += (values.empty() ? "" : ",") + placeholder(c, false);
    }
    return fmt::format("INSERT INTO {} ({}) VALUES ({})", quote_identifier(database, schema.table), names, values);
  }
  static std::vector<Parameter> insert_parameters(const message::TableSchema& schema) {
    std::vector<Parameter> out;
    for (const auto& c : schema.columns) {
      if (!c.generated) out.push_back({&c});
    }
    return out;
  }

  /// All images of a table as Insert rows, in key order.
  static base::Buffer read_rows(const message::TableSchema& schema, const std::string& database,
                                const TableReader::Range& range = {}) {
    auto connection = connect();
    auto reader = TableReader::open(*connection, schema, database, schema.table, range);
    if (!reader) throw std::runtime_error(reader.error().what);
    base::Buffer out;
    while (true) {
      const std::size_t before = out.size();
      out.put(static_cast<std::uint8_t>(message::Op::Insert));
      auto more = (*reader)->next(out);
      if (!more) throw std::runtime_error(more.error().what);
      if (!*more) {
        out.truncate(before);
        return out;
      }
    }
  }

  /// The key image of the last of some Insert rows.
  static std::string last_key(const message::TableSchema& schema, base::Bytes rows) {
    message::RowReader reader(schema, rows);
    message::RowView row;
    base::Buffer key;
    while (reader.next(row).value()) {
      key.clear();
      message::ImageWriter image(key, schema.key.size());
      for (const auto i : schema.key) {
        if (message::value_width(schema.columns[i].type) == message::kVariable) {
          image.bytes(row.after.values[i]);
        } else {
          image.fixed_bytes(row.after.values[i]);
        }
      }
    }
    return std::string(key.text());
  }

  static std::uint64_t write_rows(Connection& connection, const message::TableSchema& schema,
                                  const std::string& database, base::Bytes rows) {
    auto statement = BulkStatement::prepare(connection, insert_text(schema, database), insert_parameters(schema));
    if (!statement) throw std::runtime_error(statement.error().what);
    message::RowReader reader(schema, rows);
    message::RowView row;
    while (reader.next(row).value()) {
      for (std::size_t i = 0; i < schema.columns.size(); ++i) {
        if (schema.columns[i].generated) continue;
        row.after.nulls[i] != 0 ? (*statement)->bind_null() : (*statement)->bind(row.after.values[i]);
      }
    }
    auto affected = (*statement)->execute();
    if (!affected) throw std::runtime_error(affected.error().what);
    return *affected;
  }

  static void expect_equal(const std::string& table) {
    auto left = server_->connect();
    auto right = server_->connect();
    const auto result = test::compare(left, right, {{.source = "a." + table, .destination = "b." + table}});
    EXPECT_TRUE(result.equal()) << result.text();
    EXPECT_GT(result.source_rows, 0U);
  }

  static inline test::TempDir* folder_ = nullptr;
  static inline test::MariaDbServer* server_ = nullptr;
};

}  // namespace datasync::sql
