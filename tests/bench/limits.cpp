#include "tests/bench/limits.hpp"

#include <chrono>
#include <stdexcept>

#include <fmt/format.h>

#include "agents/destination/mariadb/bulk.hpp"
#include "agents/kafka/consumer.hpp"
#include "agents/kafka/producer.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/row.hpp"
#include "agents/source/mariadb/binlog_stream.hpp"
#include "tests/bench/rows.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::bench {
namespace {

constexpr std::uint8_t kXidEvent = 16;
constexpr std::uint8_t kGtidEvent = 162;
constexpr std::size_t kTypeAt = 4;
constexpr std::size_t kBodyAt = 19;
constexpr std::uint64_t kRowsPerCommit = 1000;

template <class T>
T must(base::Result<T> r) {
  if (!r) throw std::runtime_error(r.error().what);
  return std::move(*r);
}
void must(base::Result<void> r) {
  if (!r) throw std::runtime_error(r.error().what);
}

class Timer {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

sql::ConnectOptions connect_as_root(sql::Role role, std::uint16_t port) {
  sql::ConnectOptions o;
  o.role = role;
  o.server = {"127.0.0.1", port};
  o.user = "root";
  return o;
}

kafka::Access access_to(const test::KafkaBroker& broker) {
  kafka::Access a;
  a.bootstrap_servers = broker.bootstrap();
  return a;
}

}  // namespace

Run raw_dump(const test::MariaDbServer& server, const std::string& from, const std::string& to) {
  const auto target = must(message::GtidSet::parse(to)).domains().begin()->second;
  sql::DumpOptions dump;
  dump.position = from;
  dump.server_id = 900001;
  auto stream = must(sql::BinlogStream::open(connect_as_root(sql::Role::Source, server.port()), dump));
  Run run;
  bool last = false;
  const Timer timer;
  for (;;) {
    const auto event = must(stream->next());
    run.bytes += static_cast<double>(event.size());
    const auto type = std::to_integer<std::uint8_t>(event[kTypeAt]);
    if (type == kGtidEvent) last = base::Cursor(event.subspan(kBodyAt)).get<std::uint64_t>() >= target.sequence;
    if (type == kXidEvent && last) break;
  }
  run.seconds = timer.seconds();
  return run;
}

std::vector<Record> read_topic(const test::KafkaBroker& broker, const std::string& topic) {
  auto consumer = must(kafka::Consumer::open(access_to(broker), topic, 0, 0));
  const auto end = must(consumer->watermarks()).high;
  std::vector<Record> out;
  while (out.empty() || static_cast<std::int64_t>(out.size()) < end) {
    auto record = must(consumer->next(std::chrono::seconds(5)));
    if (!record) throw std::runtime_error("the topic ended early");
    out.push_back({must(record->headers()), std::string(base::as_text(record->value()))});
  }
  return out;
}

Run raw_produce(test::KafkaBroker& broker, const std::string& topic, const std::vector<Record>& records) {
  broker.create_topic(topic);
  kafka::ProducerOptions options;
  auto producer = must(kafka::Producer::open(access_to(broker), topic, options, [](std::uint64_t, std::int64_t) {}));
  // The first record pays for connecting.
  must(producer->produce(0, {}, "", base::Buffer(1), 0, {}));
  must(producer->flush({}));
  Run run;
  std::uint64_t token = 1;
  const Timer timer;
  for (const auto& r : records) {
    base::Buffer value;
    value.append(r.value);
    run.bytes += static_cast<double>(r.value.size());
    must(producer->produce(0, r.headers, "", std::move(value), token++, {}));
  }
  must(producer->flush({}));
  run.seconds = timer.seconds();
  return run;
}

Run raw_upserts(const test::MariaDbServer& server, const std::string& table, std::uint64_t rows) {
  auto connection = must(sql::Connection::open(connect_as_root(sql::Role::Destination, server.port())));
  const auto schema = row_schema();
  std::vector<sql::Parameter> parameters;
  for (const auto& c : schema.columns) parameters.push_back({&c});
  const auto text = fmt::format(
      "INSERT INTO {} (id,k,c,pad) VALUES (?,?,?,?) ON DUPLICATE KEY UPDATE k=VALUES(k),c=VALUES(c),pad=VALUES(pad)",
      table);
  auto statement = must(sql::BulkStatement::prepare(*connection, text, parameters));
  std::vector<Row> all;
  all.reserve(rows);
  for (std::uint64_t id = 1; id <= rows; ++id) all.push_back(make_row(id));
  Run run;
  const Timer timer;
  for (std::size_t at = 0; at < all.size();) {
    must(connection->begin());
    for (const auto stop = std::min(all.size(), at + kRowsPerCommit); at < stop; ++at) {
      const auto& r = all[at];
      statement->bind(std::as_bytes(std::span(&r.id, 1)));
      statement->bind(std::as_bytes(std::span(&r.k, 1)));
      statement->bind(base::as_bytes(r.c));
      statement->bind(base::as_bytes(r.pad));
    }
    must(statement->execute());
    must(connection->commit());
  }
  run.seconds = timer.seconds();
  return run;
}

Run native_drain(test::MariaDbServer& replica, const std::string& to) {
  replica.execute("STOP SLAVE");
  replica.execute("START SLAVE IO_THREAD");
  const auto fetched = [&] {
    const auto status = replica.query("SHOW SLAVE STATUS").at(0);
    for (const auto& field : status)
      if (field && field->find(to) != std::string::npos) return true;
    return false;
  };
  if (!test::eventually(fetched, std::chrono::minutes(3))) throw std::runtime_error("the relay log did not arrive");
  Run run;
  const Timer timer;
  replica.execute("START SLAVE SQL_THREAD");
  replica.wait_for_gtid(to, std::chrono::minutes(10));
  run.seconds = timer.seconds();
  return run;
}

}  // namespace datasync::bench
