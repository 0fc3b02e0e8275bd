#include "tests/support/kafka_properties.hpp"

#include <fmt/format.h>

#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

constexpr const char* kModules = "org.apache.kafka.common.security";

std::string protocol_of(const KafkaOptions& options) {
  if (!options.security) return "PLAINTEXT";
  return options.security->sasl() ? "SASL_SSL" : "SSL";
}

void add_security(std::map<std::string, std::string>& all, const KafkaSecurity& security,
                  const std::filesystem::path& folder) {
  const auto set = [&all](const std::string& key, const std::string& value) {
    all["listener.name.client." + key] = value;
  };
  set("ssl.keystore.type", "PEM");
  set("ssl.keystore.location", keystore_file(folder, 0).string());
  set("ssl.client.auth", security.client_certificates ? "required" : "none");
  if (!security.client_ca.empty()) {
    set("ssl.truststore.type", "PEM");
    set("ssl.truststore.location", security.client_ca.string());
  }
  // A certificate may be replaced by one for another name, on purpose.
  all["ssl.allow.dn.changes"] = "true";
  all["ssl.allow.san.changes"] = "true";
  if (!security.sasl()) return;
  std::string mechanisms;
  if (!security.scram_users.empty()) {
    mechanisms = "SCRAM-SHA-512";
    set("scram-sha-512.sasl.jaas.config", fmt::format("{}.scram.ScramLoginModule required;", kModules));
  }
  if (!security.plain_users.empty()) {
    mechanisms += mechanisms.empty() ? "PLAIN" : ",PLAIN";
    auto jaas = fmt::format("{}.plain.PlainLoginModule required", kModules);
    for (const auto& [name, password] : security.plain_users) jaas += fmt::format(" user_{}=\"{}\"", name, password);
    set("plain.sasl.jaas.config", jaas + ";");
  }
  set("sasl.enabled.mechanisms", mechanisms);
}

}  // namespace

std::map<std::string, std::string> kafka_authorizer() {
  return {{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"},
          {"super.users", "User:ANONYMOUS"},
          {"allow.everyone.if.no.acl.found", "true"}};
}

std::filesystem::path keystore_file(const std::filesystem::path& folder, int version) {
  return folder / fmt::format("keystore-{}.pem", version);
}

void write_keystore(const std::filesystem::path& file, const Certificate& certificate) {
  write_file(file, read_file(certificate.key) + read_file(certificate.certificate));
}

std::string kafka_properties(const KafkaOptions& options, const KafkaPorts& ports,
                             const std::filesystem::path& folder) {
  const auto host = options.advertised_host.empty() ? options.address : options.advertised_host;
  const auto port = options.advertised_port != 0 ? options.advertised_port : ports.client;
  std::map<std::string, std::string> all{
      {"process.roles", "broker,controller"},
      {"node.id", "1"},
      {"controller.quorum.voters", fmt::format("1@127.0.0.1:{}", ports.controller)},
      {"listeners", fmt::format("CLIENT://{}:{},INTERNAL://127.0.0.1:{},CONTROLLER://127.0.0.1:{}", options.address,
                                ports.client, ports.internal, ports.controller)},
      {"advertised.listeners", fmt::format("CLIENT://{}:{},INTERNAL://127.0.0.1:{}", host, port, ports.internal)},
      {"controller.listener.names", "CONTROLLER"},
      {"inter.broker.listener.name", "INTERNAL"},
      {"listener.security.protocol.map",
       fmt::format("CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,CLIENT:{}", protocol_of(options))},
      {"log.dirs", (folder / "data").string()},
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
      // By default it ends itself when it has not registered within 60 s; how long a start may take is decided by
      // KafkaBroker::wait_ready, which knows how busy the machine is.
      {"initial.broker.registration.timeout.ms", "3600000"},
      // What takes minutes by default happens within seconds: retention, compaction, deletion of files.
      {"log.initial.task.delay.ms", "500"},
      {"log.retention.check.interval.ms", "1000"},
      {"log.cleaner.backoff.ms", "1000"},
      {"log.cleaner.dedupe.buffer.size", "16777216"},
      {"log.segment.delete.delay.ms", "1000"},
  };
  if (options.security) add_security(all, *options.security, folder);
  for (const auto& [key, value] : options.properties) all[key] = value;
  std::string text;
  for (const auto& [key, value] : all) text += fmt::format("{}={}\n", key, value);
  return text;
}

std::vector<std::string> kafka_scram_arguments(const KafkaOptions& options) {
  std::vector<std::string> args;
  if (!options.security) return args;
  for (const auto& [name, password] : options.security->scram_users) {
    args.emplace_back("--add-scram");
    args.push_back(fmt::format("SCRAM-SHA-512=[name={},password={}]", name, password));
  }
  return args;
}

}  // namespace datasync::test
