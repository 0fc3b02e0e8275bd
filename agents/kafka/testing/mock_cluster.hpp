#pragma once
// librdkafka's in-process cluster: brokers on loopback sockets, no JVM. It keeps records in memory, supports no admin
// request except metadata, and returns the responses that the test sets.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/kafka/client.hpp"

namespace datasync::kafka {

class MockCluster {
 public:
  explicit MockCluster(int brokers = 1);
  ~MockCluster();
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  [[nodiscard]] Access access() const;
  void create_topic(const std::string& topic, int partitions = 1);
  /// Metadata reports the topic with this error (a rd_kafka_resp_err_t); 0 clears it.
  void topic_error(const std::string& topic, int error);
  /// The next requests of this kind (Kafka's ApiKey) fail with these errors.
  void fail_requests(std::int16_t api_key, const std::vector<int>& errors);
  void all_down();
  void all_up();
  /// Delays every response by this many milliseconds.
  void answer_after(int ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The topic error with which a mock cluster reports that a topic is missing; it creates any other topic on first use.
inline constexpr int kUnknownTopic = 3;

/// Writes a record as any program could: these headers, no key. The value is null when `value` is null.
void produce_raw(const Access& access, const std::string& topic, const std::map<std::string, std::string>& headers,
                 const char* value);

inline constexpr std::int16_t kProduceRequest = 0;
inline constexpr std::int16_t kFetchRequest = 1;
inline constexpr std::int16_t kListOffsetsRequest = 2;

}  // namespace datasync::kafka
