#include <array>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/kafka/handle.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

Reason reason_of(rd_kafka_resp_err_t code) noexcept {
  switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return Reason::BrokerUnreachable;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return Reason::CredentialsRejected;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return Reason::PermissionDenied;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
      return Reason::RowTooLarge;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return Reason::TopicMissing;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return Reason::ProducerFailed;
    default:
      return Reason::BrokerRejected;
  }
}

}  // namespace

Error from_kafka(rd_kafka_resp_err_t code, const std::string& doing, const std::string& detail) {
  return {reason_of(code), fmt::format("{}: {} ({}){}{}", doing, rd_kafka_err2str(code), rd_kafka_err2name(code),
                                       detail.empty() ? "" : ": ", detail)};
}

void ClientEvents::attach(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_error_cb(conf, &ClientEvents::error_callback);
  rd_kafka_conf_set_log_cb(conf, &ClientEvents::log_callback);
}

void ClientEvents::error_callback(rd_kafka_t* client, int code, const char* text, void* opaque) {
  auto& self = *static_cast<ClientEvents*>(opaque);
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> why{};
    const auto underlying = rd_kafka_fatal_error(client, why.data(), why.size());
    if (underlying != RD_KAFKA_RESP_ERR_NO_ERROR) {
      self.on_error(RD_KAFKA_RESP_ERR__FATAL, why.data());
      return;
    }
  }
  self.on_error(static_cast<rd_kafka_resp_err_t>(code), text);
}

// Only what a person can act on is worth a line: librdkafka repeats each failed connection many times.
void ClientEvents::log_callback(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  base::log::write(level <= 2 ? base::log::Level::Warn : base::log::Level::Debug, "librdkafka",
                   {{"client", rd_kafka_name(client)}, {"facility", facility}, {"text", text}});
}

void ClientEvents::on_error(rd_kafka_resp_err_t code, const char* text) noexcept {
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    all_down_ = true;
    return;
  }
  const std::scoped_lock lock(mutex_);
  last_code_ = code;
  last_text_ = text != nullptr ? text : "";
}

rd_kafka_resp_err_t ClientEvents::last_code() const {
  const std::scoped_lock lock(mutex_);
  return last_code_;
}

void ClientEvents::forget() {
  const std::scoped_lock lock(mutex_);
  last_code_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  last_text_.clear();
}

Error ClientEvents::unreachable(const std::string& doing) const {
  const std::scoped_lock lock(mutex_);
  if (last_code_ == RD_KAFKA_RESP_ERR_NO_ERROR)
    return {Reason::BrokerUnreachable, fmt::format("{}: no broker answered in time", doing)};
  const auto reason =
      reason_of(last_code_) == Reason::CredentialsRejected ? Reason::CredentialsRejected : Reason::BrokerUnreachable;
  return {reason, fmt::format("{}: no broker answered in time; last error: {}", doing, last_text_)};
}

}  // namespace datasync::kafka
