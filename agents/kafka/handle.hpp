#pragma once
// librdkafka's C handles with their deleters; for the .cpp files of this folder only. The order of destruction matters:
// destroying the client handle hangs while a topic, message or queue of it exists, so declare the client before them.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <librdkafka/rdkafka.h>

#include "agents/base/clock.hpp"
#include "agents/kafka/client.hpp"

namespace datasync::kafka {

template <auto Destroy>
struct Deleter {
  template <class T>
  void operator()(T* p) const noexcept {
    Destroy(p);
  }
};
using ClientPtr = std::unique_ptr<rd_kafka_t, Deleter<rd_kafka_destroy>>;
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Deleter<rd_kafka_conf_destroy>>;
using TopicConfPtr = std::unique_ptr<rd_kafka_topic_conf_t, Deleter<rd_kafka_topic_conf_destroy>>;
using TopicPtr = std::unique_ptr<rd_kafka_topic_t, Deleter<rd_kafka_topic_destroy>>;
using HeadersPtr = std::unique_ptr<rd_kafka_headers_t, Deleter<rd_kafka_headers_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Deleter<rd_kafka_error_destroy>>;
using PartitionsPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, Deleter<rd_kafka_topic_partition_list_destroy>>;
using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>>;

/// Receives librdkafka's events about its connections. It is the opaque pointer of the configuration and must outlive
/// the client. The error callback runs on the thread that polls the client.
class ClientEvents {
 public:
  ClientEvents() = default;
  ClientEvents(const ClientEvents&) = delete;
  ClientEvents& operator=(const ClientEvents&) = delete;
  virtual ~ClientEvents() = default;

  /// Sets the callbacks for errors, logs and certificates, and the opaque.
  void attach(rd_kafka_conf_t* conf);
  /// Returns true once after all brokers became unreachable.
  bool take_all_down() noexcept { return all_down_.exchange(false); }
  /// Returns BrokerUnreachable, or CredentialsRejected or CertificateRejected when that is the cause, with the last
  /// error from the brokers and what to do.
  [[nodiscard]] base::Error unreachable(const std::string& doing) const;
  /// Discards the last error.
  void forget();

 protected:
  virtual void on_error(rd_kafka_resp_err_t code, const char* text) noexcept;

 private:
  static void error_callback(rd_kafka_t* client, int code, const char* text, void* opaque);
  static int certificate_callback(rd_kafka_t* client, const char* broker, std::int32_t id, int* code, int depth,
                                  const char* bytes, std::size_t size, char* why, std::size_t why_size, void* opaque);
  static void log_callback(const rd_kafka_t* client, int level, const char* facility, const char* text);

  std::atomic<bool> all_down_ = false;
  mutable std::mutex mutex_;
  base::Reason last_reason_ = base::Reason::BrokerUnreachable;
  std::string last_text_;  ///< empty: there was none
  base::SteadyTime last_at_;
  std::map<std::string, std::string> certificates_;  ///< by broker: why OpenSSL rejects its certificate
};

/// The brokers respond, but refuse this client: only a client with other secrets, or other brokers, can fix it.
inline bool refused(const base::Error& error) noexcept {
  return error.is(base::Reason::CredentialsRejected) || error.is(base::Reason::CertificateRejected);
}

using Settings = std::map<std::string, std::string>;

/// Creates a client with the settings of `access` and its current secrets, then `settings`, then the extra settings of
/// `access`. Errors: ConfigInvalid, SecretNotFound, CertificateRejected (a file of a secret cannot be read).
base::Result<ClientPtr> make_client(rd_kafka_type_t type, const Access& access, const Settings& settings,
                                    ClientEvents& events,
                                    void (*on_delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr);

/// Returns the error for a code of librdkafka; `doing` names the operation and the topic.
base::Error from_kafka(rd_kafka_resp_err_t code, const std::string& doing, const std::string& detail = {});

/// The cluster's metadata of a topic. topic_metadata returns nullopt when the topic does not exist, and never creates
/// it. Errors: BrokerUnreachable, CredentialsRejected, CertificateRejected, PermissionDenied, BrokerRejected.
struct TopicMetadata {
  std::int32_t partitions = 0;
  std::int16_t replication_factor = 0;
  std::int32_t brokers = 0;
};
base::Result<std::optional<TopicMetadata>> topic_metadata(rd_kafka_t* client, const std::string& topic,
                                                          const ClientEvents& events,
                                                          std::chrono::milliseconds deadline);
/// As topic_metadata, but repeats the request for a missing topic several times: right after a change or a restart a
/// broker may not have it in its metadata for a moment. Errors: TopicMissing as well.
base::Result<TopicMetadata> confirm_topic(rd_kafka_t* client, const std::string& topic, const ClientEvents& events,
                                          std::chrono::milliseconds deadline);

/// First offset and end of a partition as its leader reports them now.
struct Ends {
  std::int64_t low = 0, high = 0;
};
base::Result<Ends> partition_ends(rd_kafka_t* client, const std::string& topic, std::int32_t partition,
                                  const ClientEvents& events, std::chrono::milliseconds deadline);

}  // namespace datasync::kafka
