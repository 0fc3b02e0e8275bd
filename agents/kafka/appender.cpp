#include "agents/kafka/appender.hpp"

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "agents/kafka/hand_over.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kDeadline{10000};
constexpr base::Millis kSlack{2000};  ///< librdkafka checks for expired messages once a second
constexpr int kPurgeWaitMs = 2000;

Settings settings() {
  return {{"enable.idempotence", "true"},
          {"message.timeout.ms", std::to_string(kDeadline.count())},
          {"request.timeout.ms", "5000"},
          {"linger.ms", "0"}};
}

}  // namespace

/// The result in a delivery report. It is on the stack of `append`: no report arrives after `drop`.
struct Appender::Report {
  bool done = false;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::int64_t offset = -1;
};

base::Result<void> Appender::connect() {
  if (client_ != nullptr && rd_kafka_fatal_error(client_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  drop();
  events_.forget();
  const auto on_delivery = [](rd_kafka_t*, const rd_kafka_message_t* m, void*) {
    auto& report = *static_cast<Report*>(m->_private);
    report = {true, m->err, m->offset};
  };
  DS_ASSIGN(client_, make_client(RD_KAFKA_PRODUCER, access_, settings(), events_, on_delivery));
  handle_.reset(rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr));
  if (handle_ == nullptr) return from_kafka(rd_kafka_last_error(), "opening topic " + topic_);
  return {};
}

void Appender::drop() {
  if (client_ == nullptr) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), kPurgeWaitMs);
  handle_.reset();
  client_.reset();
}

base::Result<std::int64_t> Appender::append(std::int32_t partition, const message::Headers& headers,
                                            const std::string& key, const std::string& value) {
  return append(partition, headers, key, base::as_bytes(value));
}

base::Result<std::int64_t> Appender::append_tombstone(std::int32_t partition, const message::Headers& headers,
                                                      const std::string& key) {
  return append(partition, headers, key, base::Bytes());  // librdkafka treats a null pointer as no value
}

base::Result<std::int64_t> Appender::append(std::int32_t partition, const message::Headers& headers,
                                            const std::string& key, base::Bytes value) {
  const std::scoped_lock lock(mutex_);
  DS_TRY(connect());
  Report report;
  if (const auto refused =
          hand_over(client_.get(), handle_.get(), partition, headers, key, value, Value::Copied, &report))
    return from_kafka(rd_kafka_error_code(refused.get()), "appending to topic " + topic_,
                      rd_kafka_error_string(refused.get()));
  const auto until = base::steady_now() + kDeadline + kSlack;
  while (!report.done && base::steady_now() < until) rd_kafka_poll(client_.get(), 100);
  if (report.done && report.code == RD_KAFKA_RESP_ERR_NO_ERROR) return report.offset;
  const auto doing = fmt::format("appending to topic {}, partition {}", topic_, partition);
  auto error = from_kafka(report.code, doing);
  if (!report.done || error.is(Reason::BrokerUnreachable)) error = events_.unreachable(doing);
  if (error.is(Reason::TopicMissing)) {
    const auto there = confirm_topic(client_.get(), topic_, events_, kSlack);
    if (there) error.reason = Reason::BrokerRejected;
  }
  // The next append gets a new client, which does not continue the sequence of this one; no report arrives after
  // `report` is destroyed.
  drop();
  return std::move(error).context("outcome unknown");
}

}  // namespace datasync::kafka
