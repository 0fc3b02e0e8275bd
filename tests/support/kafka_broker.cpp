#include "tests/support/kafka_broker.hpp"

#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "tests/support/eventually.hpp"
#include "tests/support/tail.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

std::string class_path() {
  return (kafka_jars() / "*").string();
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
  if (options_.security) write_keystore(keystore_file(folder_, 0), options_.security->certificate);
  write_file(config, kafka_properties(options_, {port(), internal_.port(), controller_.port()}, folder_));
  std::vector<std::string> format{"java",
                                  "-XX:-UsePerfData",
                                  "-XX:TieredStopAtLevel=1",
                                  "-cp",
                                  class_path(),
                                  "kafka.tools.StorageTool",
                                  "format",
                                  "-t",
                                  "AAAAAAAAAAAAAAAAAAAAAA",
                                  "-c",
                                  config.string()};
  for (auto& arg : kafka_scram_arguments(options_)) format.push_back(std::move(arg));
  run(format);
  start();
}

std::string KafkaBroker::bootstrap() const {
  return fmt::format("{}:{}", options_.advertised_host.empty() ? options_.address : options_.advertised_host,
                     options_.advertised_port != 0 ? options_.advertised_port : port());
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
        return accepts_connections(internal_.port()) && accepts_connections(port(), options_.address);
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
                                   internal_.address()};
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

void KafkaBroker::set_scram_user(const std::string& name, const std::string& password) {
  tool("kafka.admin.ConfigCommand", {"--alter", "--entity-type", "users", "--entity-name", name, "--add-config",
                                     fmt::format("SCRAM-SHA-512=[password={}]", password)});
}

void KafkaBroker::deny(const std::string& user, const std::string& topic, const std::string& operation) {
  const auto principal = "User:" + user;
  // A topic with rules has no default any more: all but this one is allowed, and everything to the others.
  tool("org.apache.kafka.tools.AclCommand",
       {"--add", "--allow-principal", "User:*", "--operation", "All", "--topic", topic});
  tool("org.apache.kafka.tools.AclCommand",
       {"--add", "--deny-principal", principal, "--operation", operation, "--topic", topic});
}

void KafkaBroker::forget_rights(const std::string& topic) {
  tool("org.apache.kafka.tools.AclCommand", {"--remove", "--force", "--topic", topic});
}

void KafkaBroker::replace_certificate(const Certificate& certificate) {
  // A new path each time: the broker reads the file when the setting changes.
  const auto file = keystore_file(folder_, ++keystore_version_);
  write_keystore(file, certificate);
  tool("kafka.admin.ConfigCommand", {"--alter", "--entity-type", "brokers", "--entity-name", "1", "--add-config",
                                     fmt::format("listener.name.client.ssl.keystore.location={}", file.string())});
}

std::string KafkaBroker::log_tail() const {
  return tail_of(folder_ / "log", 3000);
}

}  // namespace datasync::test
