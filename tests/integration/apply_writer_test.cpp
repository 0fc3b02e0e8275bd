// Apply's writer and catalogue with a real server, without an agent around them.

#include <stdexcept>

#include <gtest/gtest.h>

#include "agents/apply/write/writer.hpp"
#include "agents/destination/engines/engines.hpp"
#include "agents/kafka/logs.hpp"
#include "tests/integration/apply_fixture.hpp"

namespace datasync::test {
namespace {

/// A writer of this program, without an agent.
struct OwnWriter {
  explicit OwnWriter(apply_environment::Environment& env) : config(env.config()) {
    EXPECT_TRUE(apply::Ledger::create(*connection, config.ledger_database));
    EXPECT_TRUE(apply::KnownTables::create(*connection, config.ledger_database));
    EXPECT_TRUE(connection->prepare_to_write());
    auto opened = apply::Writer::open(*connection, engine->dialect(), catalog, config, ledger, [this] { ++steps; });
    if (!opened) throw std::runtime_error(opened.error().what);
    writer = std::move(*opened);
    catalog.set_token(writer->token());
  }
  /// Stores `rows` of a table whose definition is read first if it has to be. Returns its index.
  apply::TableIndex store(const message::TableSchema& schema, std::string rows) {
    apply::TableIndex index = 0;
    if (catalog.active(schema.id(), index) == nullptr) {
      const auto done = catalog.activate(schema.id(), {});
      EXPECT_TRUE(done) << done.error().what;
      EXPECT_NE(catalog.active(schema.id(), index), nullptr);
    }
    apply::RowBuffer buffer;
    EXPECT_TRUE(buffer.append(index, schema, std::move(rows)));
    const auto done = writer->commit(buffer, buffer.rows(), writer->ledger());
    EXPECT_TRUE(done) << done.error().what;
    return index;
  }

  config::Apply config;
  std::unique_ptr<apply::DestinationEngine> engine = std::move(apply::make_engine(config.engine).value());
  apply::Catalog::Connect connect = [this] { return engine->connect(config, std::chrono::seconds(60)); };
  apply::SchemaBook book{[this]() -> base::Result<std::unique_ptr<protocol::StateLog>> {
    DS_ASSIGN(const auto access, kafka::access(config.common.channel, config.common.secrets_dir));
    return kafka::open_state_log(access, config.common.channel.state_topic());
  }};
  std::unique_ptr<apply::DestinationServer> connection = std::move(connect().value());
  apply::LedgerKey key{config.common.name, config.common.channel.topic, 0};
  apply::KnownTables known{config.ledger_database, key};
  apply::Catalog catalog{config, engine->dialect(), book, known, connect, [] { return base::Result<void>(); }};
  apply::Ledger ledger{config.ledger_database, key, {}, "test"};
  int steps = 0;
  std::unique_ptr<apply::Writer> writer;
};

// Emptying a table that takes longer than the liveness patience was killed, rolled back and tried again for ever.
TEST_F(ApplyTest, emptying_a_large_table_reports_progress) {
  auto& env = environment();
  env.create_table();
  env.destination().execute("INSERT INTO " + env.table() + " SELECT seq, 'x' FROM " + env.database() +
                            ".seq_1_to_70000");
  OwnWriter own(env);
  own.store(env.schema(), env.truncate().bytes);
  EXPECT_GE(own.steps, 4) << "one for every 20000 rows";
  EXPECT_EQ(env.destination().number("SELECT COUNT(*) FROM " + env.table()), 0);
}

// Each copy of a table, and each change of it by hand, left what was known of it before in memory for the life of the
// session.
TEST_F(ApplyTest, what_is_read_again_takes_the_place_of_what_was_known) {
  auto& env = environment();
  env.create_table();
  OwnWriter own(env);
  const auto schema = env.schema();
  apply::SnapshotState copy;
  copy.tables = {schema.qualified()};
  apply::TableIndex most = 0;
  for (int i = 0; i < 20; ++i) {
    most = std::max(most, own.store(schema, env.insert(i, "a").bytes));
    own.catalog.set_snapshot(copy);
    own.catalog.set_snapshot({});
  }
  EXPECT_LE(most, 1U);
  EXPECT_EQ(env.destination().number("SELECT COUNT(*) FROM " + env.table()), 20);
}

}  // namespace
}  // namespace datasync::test
