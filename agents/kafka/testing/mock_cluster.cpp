#include "agents/kafka/testing/mock_cluster.hpp"

#include <array>
#include <string>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace datasync::kafka {

struct MockCluster::Impl {
  rd_kafka_t* client = nullptr;
  rd_kafka_mock_cluster_t* cluster = nullptr;
};

MockCluster::MockCluster(int brokers) : impl_(std::make_unique<Impl>()) {
  std::array<char, 256> why{};
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_conf_set(conf, "test.mock.num.brokers", std::to_string(brokers).c_str(), why.data(), why.size());
  impl_->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
  impl_->cluster = rd_kafka_handle_mock_cluster(impl_->client);
}

MockCluster::~MockCluster() {
  rd_kafka_destroy(impl_->client);
}

Access MockCluster::access() const {
  Access out;
  out.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(impl_->cluster);
  return out;
}

void MockCluster::create_topic(const std::string& topic, int partitions) {
  rd_kafka_mock_topic_create(impl_->cluster, topic.c_str(), partitions, 1);
}

void MockCluster::topic_error(const std::string& topic, int error) {
  rd_kafka_mock_topic_set_error(impl_->cluster, topic.c_str(), static_cast<rd_kafka_resp_err_t>(error));
}

void MockCluster::fail_requests(std::int16_t api_key, const std::vector<int>& errors) {
  std::vector<rd_kafka_resp_err_t> codes;
  for (const auto e : errors) codes.push_back(static_cast<rd_kafka_resp_err_t>(e));
  rd_kafka_mock_push_request_errors_array(impl_->cluster, api_key, codes.size(), codes.data());
}

void MockCluster::all_down() {
  rd_kafka_mock_broker_set_down(impl_->cluster, -1);
}
void MockCluster::all_up() {
  rd_kafka_mock_broker_set_up(impl_->cluster, -1);
}
void MockCluster::answer_after(int ms) {
  rd_kafka_mock_broker_set_rtt(impl_->cluster, -1, ms);
}

void produce_raw(const Access& access, const std::string& topic, const std::map<std::string, std::string>& headers,
                 const char* value) {
  std::array<char, 256> why{};
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", access.bootstrap_servers.c_str(), why.data(), why.size());
  auto* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
  auto* list = rd_kafka_headers_new(headers.size());
  for (const auto& [name, text] : headers)
    rd_kafka_header_add(list, name.c_str(), -1, text.data(), static_cast<ssize_t>(text.size()));
  std::array<rd_kafka_vu_t, 4> args{};
  args[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  args[0].u.cstr = topic.c_str();
  args[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  args[1].u.i32 = 0;
  args[2].vtype = RD_KAFKA_VTYPE_HEADERS;
  args[2].u.headers = list;
  args[3].vtype = RD_KAFKA_VTYPE_VALUE;
  args[3].u.mem.ptr = const_cast<char*>(value);
  args[3].u.mem.size = value == nullptr ? 0 : std::char_traits<char>::length(value);
  if (auto* error = rd_kafka_produceva(client, args.data(), args.size())) {
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(list);
  }
  rd_kafka_flush(client, 10000);
  rd_kafka_destroy(client);
}

}  // namespace datasync::kafka
