#include "agents/kafka/client.hpp"

#include <array>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "agents/base/certificate.hpp"
#include "agents/base/clock.hpp"
#include "agents/kafka/handle.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr int kConfirmTries = 4;
constexpr base::Millis kConfirmWait{300};

base::Result<std::string> secret_file(const std::filesystem::path& dir, const config::SecretRef& ref) {
  if (!ref.set()) return std::string();
  const auto path = dir / ref.secret_name / ref.key;
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return Error(Reason::SecretNotFound, fmt::format("secret file {} is missing", path.string()));
  return path.string();
}

base::Result<base::Secret> secret_text(const std::filesystem::path& dir, const config::SecretRef& ref) {
  if (!ref.set()) return base::Secret();
  return base::read_secret(dir / ref.secret_name / ref.key);
}

base::Result<void> set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK) return {};
  // The text may contain the value, which may be a secret.
  return Error(Reason::ConfigInvalid, fmt::format("Kafka client setting {} is not accepted", name));
}

Settings settings_of(const Access& access) {
  const bool sasl = !access.sasl_mechanism.empty();
  Settings s{
      {"bootstrap.servers", access.bootstrap_servers},
      {"client.id", "datasync"},
      {"allow.auto.create.topics", "false"},
      {"socket.keepalive.enable", "true"},
      {"socket.nagle.disable", "true"},
      // Half-open connections: a request without a response for this time closes the connection.
      {"socket.timeout.ms", "15000"},
      {"socket.connection.setup.timeout.ms", "10000"},
      {"reconnect.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "2000"},
      {"log.connection.close", "false"},
      {"security.protocol", sasl ? (access.tls ? "sasl_ssl" : "sasl_plaintext") : (access.tls ? "ssl" : "plaintext")}};
  if (access.tls) s["ssl.endpoint.identification.algorithm"] = "https";
  if (!access.ca_file.empty()) s["ssl.ca.location"] = access.ca_file;
  if (!access.certificate_file.empty()) s["ssl.certificate.location"] = access.certificate_file;
  if (!access.key_file.empty()) s["ssl.key.location"] = access.key_file;
  if (sasl) s["sasl.mechanism"] = access.sasl_mechanism;
  if (sasl) s["sasl.username"] = access.sasl_username;
  return s;
}

base::Result<Access> with_secrets_of_now(const Access& access) {
  if (!access.again) return access;
  DS_ASSIGN(auto now, access.again());
  now.extra = access.extra;
  return now;
}

/// Returns why the client could not be created; this is when the files of the secrets are read.
Error no_client(const Access& access, std::string_view why) {
  const auto fault = base::certificate_fault(why);
  // If it is not a certificate, it is a setting that this build of the library does not support.
  if (fault == base::CertificateFault::None && why.find("ssl.") == std::string_view::npos)
    return Error(Reason::ConfigInvalid, fmt::format("Kafka client: {}", why));
  return Error(Reason::CertificateRejected, fmt::format("Kafka client for {}: {}; {}", access.bootstrap_servers, why,
                                                        base::advice(base::CertificateFault::Unreadable)));
}

}  // namespace

base::Result<Access> access(const config::Channel& channel, const std::filesystem::path& secrets_dir) {
  Access out;
  out.bootstrap_servers = channel.bootstrap_servers;
  out.tls = channel.tls;
  out.sasl_mechanism = channel.sasl_mechanism;
  DS_ASSIGN(out.ca_file, secret_file(secrets_dir, channel.tls_ca));
  DS_ASSIGN(out.certificate_file, secret_file(secrets_dir, channel.tls_certificate));
  DS_ASSIGN(out.key_file, secret_file(secrets_dir, channel.tls_key));
  DS_ASSIGN(const auto username, secret_text(secrets_dir, channel.sasl_username));
  out.sasl_username = username.reveal();
  DS_ASSIGN(out.sasl_password, secret_text(secrets_dir, channel.sasl_password));
  out.again = [channel, secrets_dir] { return kafka::access(channel, secrets_dir); };
  return out;
}

base::Result<ClientPtr> make_client(rd_kafka_type_t type, const Access& given, const Settings& settings,
                                    ClientEvents& events,
                                    void (*on_delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*)) {
  DS_ASSIGN(const auto access, with_secrets_of_now(given));
  ConfPtr conf(rd_kafka_conf_new());
  for (const auto& group : {settings_of(access), settings, access.extra})
    for (const auto& [name, value] : group) DS_TRY(set(conf.get(), name, value));
  if (!access.sasl_mechanism.empty()) DS_TRY(set(conf.get(), "sasl.password", access.sasl_password.reveal()));
  events.attach(conf.get());
  if (on_delivery != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  std::array<char, 512> why{};
  ClientPtr client(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (client == nullptr) return no_client(access, why.data());
  std::ignore = conf.release();  // rd_kafka_new owns it now
  return client;
}

base::Result<std::optional<TopicMetadata>> topic_metadata(rd_kafka_t* client, const std::string& topic,
                                                          const ClientEvents& events,
                                                          std::chrono::milliseconds deadline) {
  const auto doing = fmt::format("asking for the metadata of topic {}", topic);
  const TopicPtr handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  if (handle == nullptr) return from_kafka(rd_kafka_last_error(), doing);
  const rd_kafka_metadata_t* raw = nullptr;
  const auto code = rd_kafka_metadata(client, 0, handle.get(), &raw, static_cast<int>(deadline.count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    auto error = from_kafka(code, doing);
    if (!error.is(Reason::BrokerUnreachable)) return error;
    rd_kafka_poll(client, 0);  // runs the error callback, which receives the cause
    return events.unreachable(doing);
  }
  const MetadataPtr metadata(raw);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& t = metadata->topics[i];
    if (topic != t.topic) continue;
    if (t.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::optional<TopicMetadata>();
    if (t.err != RD_KAFKA_RESP_ERR_NO_ERROR && t.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
      return from_kafka(t.err, doing);
    TopicMetadata out{t.partition_cnt, 0, metadata->broker_cnt};
    if (t.partition_cnt > 0) out.replication_factor = static_cast<std::int16_t>(t.partitions[0].replica_cnt);
    return std::optional(out);
  }
  return std::optional<TopicMetadata>();
}

base::Result<TopicMetadata> confirm_topic(rd_kafka_t* client, const std::string& topic, const ClientEvents& events,
                                          std::chrono::milliseconds deadline) {
  for (int i = 0; i < kConfirmTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kConfirmWait);
    DS_ASSIGN(const auto found, topic_metadata(client, topic, events, deadline));
    if (found && found->partitions > 0) return *found;
  }
  return Error(Reason::TopicMissing, fmt::format("topic {} does not exist", topic));
}

// rd_kafka_query_watermark_offsets of librdkafka before 2.3.0 may never return (#4460); this call respects its
// deadline. The timestamps -1 and -2 mean end and beginning, as in the ListOffsets request.
base::Result<Ends> partition_ends(rd_kafka_t* client, const std::string& topic, std::int32_t partition,
                                  const ClientEvents& events, std::chrono::milliseconds deadline) {
  const auto doing = fmt::format("asking for the offsets of topic {}, partition {}", topic, partition);
  const auto until = base::steady_now() + deadline;
  std::array<std::int64_t, 2> found{};
  constexpr std::array<std::int64_t, 2> kAsked{RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END};
  for (std::size_t i = 0; i < kAsked.size();) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - base::steady_now());
    if (left.count() <= 0) return events.unreachable(doing);
    const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
    auto* entry = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
    entry->offset = kAsked[i];
    auto code = rd_kafka_offsets_for_times(client, list.get(), static_cast<int>(left.count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = entry->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && entry->offset >= 0) {
      found[i++] = entry->offset;
      continue;
    }
    auto error = from_kafka(code, doing);
    if (error.is(Reason::TopicMissing)) {
      DS_ASSIGN(const auto there, confirm_topic(client, topic, events, left));
      if (partition >= there.partitions) return error;
    } else if (error.is(Reason::PermissionDenied) || error.is(Reason::CredentialsRejected)) {
      return error;
    }
    rd_kafka_poll(client, 0);
    std::this_thread::sleep_for(base::Millis(20));  // a leader is being elected, or a broker restarts
  }
  return Ends{found[0], found[1]};
}

}  // namespace datasync::kafka
