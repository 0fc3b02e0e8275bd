#include "tests/integration/capture_environment.hpp"

#include <stdexcept>
#include <thread>

#include "agents/capture/plan/captured_schema.hpp"
#include "agents/capture/snapshot/chunk_reader.hpp"
#include "agents/client/mysql/table_reader.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

constexpr const char* kUser = "reader";
constexpr const char* kPassword = "pass'word";
constexpr const char* kLocal = "127.0.0.1";

template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return std::move(*result);
}

}  // namespace

CaptureEnvironment::CaptureEnvironment() {
  std::jthread broker([this] { broker_ = std::make_unique<KafkaBroker>(folder()); });
  source_ = std::make_unique<MariaDbServer>(folder(), MariaDbOptions{.name = "source"});
  source_->create_reader(kUser, kPassword);
  for (const auto* name : {"replica1", "replica2"}) {
    replicas_.push_back(std::make_unique<MariaDbServer>(folder(), MariaDbOptions{.name = name, .read_only = true}));
    replicas_.back()->replicate_from(*source_);
  }
  write_credentials(folder() / "secrets", kUser, kUser, kPassword);
}

config::Capture CaptureEnvironment::config(const std::string& topic, std::vector<config::Type> types) {
  config::Capture c;
  c.common.name = "test/" + topic;
  c.common.secrets_dir = folder() / "secrets";
  c.common.channel = {
      .bootstrap_servers = broker_->bootstrap(), .topic = topic, .partitions = 1, .replication_factor = 1};
  c.replicas = {{kLocal, source_->port()}};
  c.allow_primary = true;
  c.credentials = {{kUser, "username"}, {kUser, "password"}};
  c.types = std::move(types);
  c.heartbeat = milliseconds(100);
  c.watchdog = milliseconds(2000);
  c.checkpoint_every = milliseconds(200);
  return c;
}

config::Capture CaptureEnvironment::replica_config(const std::string& topic, std::vector<config::Type> types) {
  auto c = config(topic, std::move(types));
  c.allow_primary = false;
  c.replicas = {{kLocal, replicas_[0]->port()}, {kLocal, replicas_[1]->port()}};
  return c;
}

CaptureReader::Rows CaptureEnvironment::rows_of(MariaDbServer& server, const std::string& database,
                                                const std::string& table, const std::vector<std::string>& excluded) {
  sql::ConnectOptions options;
  options.server = {kLocal, server.port()};
  options.user = "root";
  const auto connection = must(sql::Connection::open(options));
  const auto info = must(sql::read_table_info(*connection, database, table));
  if (!info) throw std::runtime_error("no table " + table);
  capture::TableChoice choice;
  choice.exclude = excluded;
  const auto schema = must(capture::captured_schema(choice, info->schema));
  const auto reader = must(sql::TableReader::open(*connection, schema, database, table, {}));
  CaptureReader::Rows rows;
  base::Buffer image;
  while (must(reader->next(image))) {
    rows.emplace(must(capture::key_of(schema, image.bytes())), std::string(image.text()));
    image.clear();
  }
  return rows;
}

void CaptureEnvironment::drain(Agent& agent, MariaDbServer& server) {
  const auto wanted = must(message::GtidSet::parse(server.gtid()));
  await(
      "the agent publishes " + wanted.text(),
      [&] {
        const auto status = agent.status();
        if (!status || status->state != "Streaming") return false;
        const auto position = message::GtidSet::parse(status->at("/position").value_or(""));
        return position && position->contains(wanted);
      },
      milliseconds(90000));
}

testing::AssertionResult becomes(Agent& agent, const std::string& state, const std::string& reason,
                                 std::chrono::milliseconds limit) {
  std::string last;
  const bool there = eventually(
      [&] {
        const auto s = agent.status();
        last = s ? s->json : "no status";
        return s && s->state == state && s->reason == reason;
      },
      limit);
  return there ? testing::AssertionSuccess() : testing::AssertionFailure() << last << "\n" << agent.log_tail();
}

testing::AssertionResult topic_has(CaptureReader& reader, const std::string& table,
                                   const CaptureReader::Rows& expected) {
  reader.catch_up();
  if (!reader.broken().empty())
    return testing::AssertionFailure() << reader.broken().size() << " broken promises, first: " << reader.broken()[0];
  const auto& rows = reader.rows(table);
  if (rows == expected) return testing::AssertionSuccess();
  std::size_t missing = 0, wrong = 0;
  for (const auto& [key, image] : expected) {
    const auto at = rows.find(key);
    missing += at == rows.end() ? 1U : 0U;
    wrong += at != rows.end() && at->second != image ? 1U : 0U;
  }
  return testing::AssertionFailure() << table << ": the topic has " << rows.size() << " rows, the source has "
                                     << expected.size() << "; missing " << missing << ", different " << wrong;
}

}  // namespace datasync::test
