#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "agents/kafka/handle.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kDeadline{15000};
constexpr base::Millis kMetadataDeadline{5000};
constexpr base::Millis kSettleWait{100};

using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;
using DeleteTopicPtr = std::unique_ptr<rd_kafka_DeleteTopic_t, Deleter<rd_kafka_DeleteTopic_destroy>>;
using ConfigResourcePtr = std::unique_ptr<rd_kafka_ConfigResource_t, Deleter<rd_kafka_ConfigResource_destroy>>;
using OptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;

}  // namespace

struct Admin::Impl {
  OptionsPtr options(rd_kafka_admin_op_t op) const {
    OptionsPtr out(rd_kafka_AdminOptions_new(client.get(), op));
    std::array<char, 256> why{};
    rd_kafka_AdminOptions_set_request_timeout(out.get(), static_cast<int>(kDeadline.count()), why.data(), why.size());
    return out;
  }
  /// Waits for the result of a request, and returns it or the cause of the failure.
  base::Result<EventPtr> wait(const QueuePtr& queue, const std::string& doing) {
    EventPtr event(rd_kafka_queue_poll(queue.get(), static_cast<int>((kDeadline + kMetadataDeadline).count())));
    rd_kafka_poll(client.get(), 0);  // the error callback
    if (event == nullptr) return events.unreachable(doing);
    const auto code = rd_kafka_event_error(event.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
    auto error = from_kafka(code, doing, rd_kafka_event_error_string(event.get()));
    if (error.is(Reason::BrokerUnreachable)) return events.unreachable(doing);
    return error;
  }
  base::Result<std::optional<TopicMetadata>> metadata(const std::string& topic) {
    return topic_metadata(client.get(), topic, events, kMetadataDeadline);
  }

  ClientEvents events;
  ClientPtr client;
};

namespace {

/// Returns the single result of an operation on one topic.
base::Result<void> topic_result(const rd_kafka_topic_result_t** results, std::size_t count, const std::string& doing,
                                rd_kafka_resp_err_t also_fine) {
  if (count != 1) return Error(Reason::BrokerRejected, doing + ": the broker did not report the result");
  const auto code = rd_kafka_topic_result_error(results[0]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == also_fine) return {};
  const auto* text = rd_kafka_topic_result_error_string(results[0]);
  return from_kafka(code, doing, text != nullptr ? text : "");
}

}  // namespace

Admin::Admin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Admin::~Admin() = default;

base::Result<std::unique_ptr<Admin>> Admin::open(const Access& access) {
  auto impl = std::make_unique<Impl>();
  DS_ASSIGN(impl->client, make_client(RD_KAFKA_PRODUCER, access, {}, impl->events));
  return std::unique_ptr<Admin>(new Admin(std::move(impl)));
}

base::Result<TopicInfo> Admin::describe(const std::string& topic) {
  TopicInfo info;
  DS_ASSIGN(const auto found, impl_->metadata(topic));
  if (!found) return info;
  info.exists = true;
  info.partitions = found->partitions;
  info.replication_factor = found->replication_factor;
  info.brokers = found->brokers;

  const auto doing = fmt::format("reading the settings of topic {} (operation DescribeConfigs)", topic);
  ConfigResourcePtr resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  std::array<rd_kafka_ConfigResource_t*, 1> resources{resource.get()};
  const QueuePtr queue(rd_kafka_queue_new(impl_->client.get()));
  const auto options = impl_->options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_DescribeConfigs(impl_->client.get(), resources.data(), resources.size(), options.get(), queue.get());
  DS_ASSIGN(const auto event, impl_->wait(queue, doing));
  std::size_t count = 0;
  const auto* result = rd_kafka_event_DescribeConfigs_result(event.get());
  const auto** answers = rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count != 1) return Error(Reason::BrokerRejected, doing + ": the broker did not report it");
  if (const auto code = rd_kafka_ConfigResource_error(answers[0]); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto* text = rd_kafka_ConfigResource_error_string(answers[0]);
    return from_kafka(code, doing, text != nullptr ? text : "");
  }
  const auto** entries = rd_kafka_ConfigResource_configs(answers[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* value = rd_kafka_ConfigEntry_value(entries[i]);
    info.config[rd_kafka_ConfigEntry_name(entries[i])] = value != nullptr ? value : "";
  }
  return info;
}

base::Result<void> Admin::create(const std::string& topic, std::int32_t partitions, std::int16_t replication_factor,
                                 const std::map<std::string, std::string>& config) {
  const auto doing =
      fmt::format("creating topic {} ({} partitions, replication factor {})", topic, partitions, replication_factor);
  std::array<char, 256> why{};
  const NewTopicPtr request(
      rd_kafka_NewTopic_new(topic.c_str(), partitions, replication_factor, why.data(), why.size()));
  if (request == nullptr)
    return Error(Reason::ConfigInvalid, fmt::format("{}: {}", doing, std::string_view(why.data())));
  for (const auto& [name, value] : config) rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
  std::array<rd_kafka_NewTopic_t*, 1> requests{request.get()};
  const QueuePtr queue(rd_kafka_queue_new(impl_->client.get()));
  const auto options = impl_->options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_CreateTopics(impl_->client.get(), requests.data(), requests.size(), options.get(), queue.get());
  DS_ASSIGN(const auto event, impl_->wait(queue, doing));
  std::size_t count = 0;
  const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  DS_TRY(topic_result(results, count, doing, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS));
  // The response can arrive before every broker has the topic in its metadata.
  const auto until = base::steady_now() + kDeadline;
  for (;;) {
    DS_ASSIGN(const auto found, impl_->metadata(topic));
    if (found && found->partitions == partitions) return {};
    if (found && found->partitions > 0)
      return Error(Reason::TopicMisconfigured,
                   fmt::format("topic {} has {} partitions, {} are configured", topic, found->partitions, partitions));
    if (base::steady_now() > until) return Error(Reason::BrokerRejected, doing + ": it did not appear");
    std::this_thread::sleep_for(kSettleWait);
  }
}

base::Result<void> Admin::remove(const std::string& topic) {
  const auto doing = fmt::format("deleting topic {}", topic);
  const DeleteTopicPtr request(rd_kafka_DeleteTopic_new(topic.c_str()));
  std::array<rd_kafka_DeleteTopic_t*, 1> requests{request.get()};
  const QueuePtr queue(rd_kafka_queue_new(impl_->client.get()));
  const auto options = impl_->options(RD_KAFKA_ADMIN_OP_DELETETOPICS);
  rd_kafka_DeleteTopics(impl_->client.get(), requests.data(), requests.size(), options.get(), queue.get());
  DS_ASSIGN(const auto event, impl_->wait(queue, doing));
  std::size_t count = 0;
  const auto** results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  return topic_result(results, count, doing, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

base::Result<bool> Admin::empty(const std::string& topic, std::int32_t partitions) {
  for (std::int32_t i = 0; i < partitions; ++i) {
    DS_ASSIGN(const auto ends, partition_ends(impl_->client.get(), topic, i, impl_->events, kDeadline));
    if (ends.high > 0) return false;
  }
  return true;
}

}  // namespace datasync::kafka
