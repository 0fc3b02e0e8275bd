#include "tests/support/kafka_broker.hpp"

#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

std::string class_path() {
  return (kafka_jars() / "*").string();
}

std::string properties(const KafkaOptions& options, std::uint16_t port, std::uint16_t controller,
                       const std::filesystem::path& data) {
  const auto advertised = options.advertised_port != 0 ? options.advertised_port : port;
  std::map<std::string, std::string> all{
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"controller.quorum.voters", fmt::format("1@127.0.0.1:{}", controller)},
      {"listeners", fmt::format("PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{}", port, controller)},
      {"advertised.listeners", fmt::format("PLAINTEXT://127.0.0.1:{}", advertised)},
      {"controller.listener.names", "CONTROLLER"},
      {"inter.broker.listener.name", "PLAINTEXT"},
      {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"},
      {"log.dirs", data.string()},
      {"num.network.threads", "2"},
      {"num.io.threads", "2"},
      {"num.recovery.threads.per.data.dir", "1"},
      {"auto.create.topics.enable", "false"},
      {"offsets.topic.num.partitions", "1"},
      {"offsets.topic.replication.factor", "1"},
      {"transaction.state.log.num.partitions", "1"},
      {"transaction.state.log.replication.factor", "1"},
      {"transaction.state.log.min.isr", "1"},
      {"share.coordinator.state.topic.replication.factor", "1"},
      {"share.coordinator.state.topic.min.isr", "1"},
      {"group.initial.rebalance.delay.ms", "0"},
      // A broker that was killed may register again only when its session is over.
      {"broker.session.timeout.ms", "2000"},
      {"broker.heartbeat.interval.ms", "500"},
      // What takes minutes by default happens within seconds: retention, compaction, deletion of files.
      {"log.initial.task.delay.ms", "500"},
      {"log.retention.check.interval.ms", "1000"},
      {"log.cleaner.backoff.ms", "1000"},
      {"log.cleaner.dedupe.buffer.size", "16777216"},
      {"log.segment.delete.delay.ms", "1000"},
  };
  for (const auto& [key, value] : options.properties) all[key] = value;
  std::string text;
  for (const auto& [key, value] : all) text += fmt::format("{}={}\n", key, value);
  return text;
}

std::string joined(const std::map<std::string, std::string>& settings) {
  std::string text;
  for (const auto& [key, value] : settings) text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  return text;
}

}  // namespace

std::filesystem::path kafka_jars() {
  static const std::filesystem::path jars = [] {
    auto text = run({"bash", DATASYNC_TEST_KAFKA_JARS_TOOL, cache_dir().string()}, "", milliseconds(600000));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return std::filesystem::path(text);
  }();
  return jars;
}

KafkaBroker::KafkaBroker(const std::filesystem::path& parent, KafkaOptions options)
    : KafkaBroker(parent, std::move(options), PortLease()) {}

KafkaBroker::KafkaBroker(const std::filesystem::path& parent, KafkaOptions options, PortLease lease)
    : options_(std::move(options)), lease_(std::move(lease)), folder_(parent / fmt::format("kafka-{}", lease_.port())) {
  std::filesystem::create_directories(folder_);
  const auto config = folder_ / "server.properties";
  write_file(config, properties(options_, port(), controller_.port(), folder_ / "data"));
  run({"java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-cp", class_path(), "kafka.tools.StorageTool", "format",
       "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", config.string()});
  start();
}

std::string KafkaBroker::bootstrap() const {
  return fmt::format("127.0.0.1:{}", options_.advertised_port != 0 ? options_.advertised_port : port());
}

void KafkaBroker::start() {
  if (process_.is_running()) return;
  start_without_waiting();
  wait_ready();
}

void KafkaBroker::start_without_waiting() {
  ProcessOptions options;
  options.args = {"java",
                  fmt::format("-Xms{}m", options_.heap_mb),
                  fmt::format("-Xmx{}m", options_.heap_mb),
                  "-XX:+UseG1GC",
                  "-XX:-UsePerfData",  // no files in /tmp
                  "-XX:ActiveProcessorCount=2",
                  "-XX:+ExitOnOutOfMemoryError",
                  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                  "-cp",
                  class_path(),
                  "kafka.Kafka",
                  (folder_ / "server.properties").string()};
  options.log = folder_ / "log";
  options.working_dir = folder_;
  options.outlives = options_.outlives;
  process_ = Process::start(options);
}

void KafkaBroker::wait_ready(milliseconds limit) {
  const bool ready = eventually(
      [this] {
        if (!process_.is_running()) throw std::runtime_error("Kafka ended:\n" + log_tail());
        return accepts_connections(port());
      },
      limit);
  if (!ready) throw std::runtime_error("Kafka did not answer:\n" + log_tail());
}

void KafkaBroker::stop() {
  process_.terminate(milliseconds(30000));
}
void KafkaBroker::kill() {
  process_.kill();
}

std::string KafkaBroker::tool(const std::string& main_class, std::vector<std::string> args) {
  std::vector<std::string> command{"java",
                                   "-Xmx128m",
                                   "-XX:-UsePerfData",
                                   "-XX:TieredStopAtLevel=1",
                                   "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                                   "-cp",
                                   class_path(),
                                   main_class,
                                   "--bootstrap-server",
                                   fmt::format("127.0.0.1:{}", port())};
  command.insert(command.end(), std::make_move_iterator(args.begin()), std::make_move_iterator(args.end()));
  return run(command);
}

void KafkaBroker::create_topic(const std::string& topic, int partitions,
                               const std::map<std::string, std::string>& settings) {
  std::vector<std::string> args{
      "--create", "--topic", topic, "--partitions", std::to_string(partitions), "--replication-factor", "1"};
  for (const auto& [key, value] : settings) {
    args.emplace_back("--config");
    args.push_back(fmt::format("{}={}", key, value));
  }
  tool("org.apache.kafka.tools.TopicCommand", args);
}

void KafkaBroker::delete_topic(const std::string& topic) {
  tool("org.apache.kafka.tools.TopicCommand", {"--delete", "--topic", topic});
}

void KafkaBroker::alter_topic(const std::string& topic, const std::map<std::string, std::string>& settings) {
  tool("kafka.admin.ConfigCommand",
       {"--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", joined(settings)});
}

std::vector<std::string> KafkaBroker::topics() {
  std::istringstream lines(tool("org.apache.kafka.tools.TopicCommand", {"--list"}));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

std::string KafkaBroker::log_tail() const {
  const auto text = read_file(folder_ / "log");
  return text.size() > 3000 ? text.substr(text.size() - 3000) : text;
}

}  // namespace datasync::test
