#include "tests/bench/environment.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "agents/message/gtid.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::bench {
namespace {

using namespace std::chrono_literals;

test::MariaDbOptions server(const char* name, bool durable) {
  test::MariaDbOptions o;
  o.name = name;
  o.durable = durable;
  o.buffer_pool_mb = 512;
  o.extra_args = {"--innodb-log-file-size=512M", "--max-allowed-packet=64M"};
  return o;
}

bool has(const std::string& position, const message::GtidSet& wanted) {
  const auto reached = message::GtidSet::parse(position);
  return reached && reached->contains(wanted);
}

/// Asks often, so that the end of a run is seen within milliseconds of it.
template <class Predicate>
void watch(const std::string& what, Predicate predicate) {
  const auto deadline = std::chrono::steady_clock::now() + 10min;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited in vain: " + what);
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace

Environment::Environment()
    : source(folder_.path(), server("source", false)),
      destination(folder_.path(), server("destination", true)),
      native(folder_.path(), server("native", true)),
      broker(folder_.path(), {.heap_mb = 512}),
      user_(test::write_credentials(folder_.path() / "secrets", "all", "agent", "agent")) {
  native.replicate_from(source);
  source.create_user("agent", "agent", "ALL PRIVILEGES");
  destination.create_user("agent", "agent", "ALL PRIVILEGES");
  source.execute("CREATE DATABASE bench");
  destination.execute("CREATE DATABASE bench");
}

config::Common Environment::common(const std::string& topic) const {
  config::Common c;
  c.name = "bench/" + topic;
  c.secrets_dir = folder_.path() / "secrets";
  c.channel.bootstrap_servers = broker.bootstrap();
  c.channel.topic = topic;
  c.channel.replication_factor = 1;
  return c;
}

test::Agent Environment::capture(const std::string& topic, const std::vector<std::string>& tables) {
  config::Capture c;
  c.common = common(topic);
  c.replicas = {{"127.0.0.1", source.port()}};
  c.allow_primary = true;
  c.credentials = user_;
  c.types = {{.name = "rows", .tables = tables}};
  c.snapshot_mode = config::SnapshotMode::Never;
  return {folder_.path(), fmt::format("capture-{}", ++agents_), c};
}

test::Agent Environment::apply(const std::string& topic) {
  config::Apply a;
  a.common = common(topic);
  a.destination = {"127.0.0.1", destination.port()};
  a.credentials = user_;
  return {folder_.path(), fmt::format("apply-{}", ++agents_), a};
}

void Environment::fix_start(const std::string& topic, const std::vector<std::string>& tables) {
  auto agent = capture(topic, tables);
  agent.start();
  agent.wait_for("Streaming", 60s);
  wait_captured(agent, source.gtid());
  agent.process().terminate();
}

void expect_equal(test::MariaDbServer& a, test::MariaDbServer& b, const std::string& table) {
  const auto sum = [&](test::MariaDbServer& server) {
    return server.value("SELECT COUNT(*) FROM " + table) + " rows, checksum " +
           server.query("CHECKSUM TABLE " + table).at(0).at(1).value_or("none");
  };
  if (const auto x = sum(a), y = sum(b); x != y)
    throw std::runtime_error(
        fmt::format("{} differs, the run has no score: {} has {}, {} has {}", table, a.name(), x, b.name(), y));
}

void wait_captured(test::Agent& agent, const std::string& gtid) {
  const auto wanted = message::GtidSet::parse(gtid).value();
  watch("capture of " + gtid, [&] {
    const auto s = agent.status();
    return s && has(s->at("/position").value_or(""), wanted);
  });
}

void wait_applied(test::Agent& agent, const std::string& gtid) {
  const auto wanted = message::GtidSet::parse(gtid).value();
  watch("apply of " + gtid, [&] {
    const auto s = agent.status();
    return s && has(s->at("/streams/0/gtids").value_or(""), wanted);
  });
}

double wait_first_row(test::Agent& agent) {
  double rows = 0;
  watch("a first row", [&] {
    const auto s = agent.status();
    rows = s ? static_cast<double>(s->number("/rows")) : 0;
    return rows > 0;
  });
  return rows;
}

}  // namespace datasync::bench
