#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "agents/base/certificate.hpp"
#include "agents/base/log.hpp"
#include "agents/kafka/handle.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kToldMore{10000};
constexpr int kScramOfKafka4 = 0x020601ff;  ///< rd_kafka_version of 2.6.1

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

Reason event_reason(int code, std::string_view text) {
  // With TLS 1.3 a server's alert comes after the handshake, as a failed read.
  const bool connection = code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__TRANSPORT;
  if (connection && base::certificate_fault(text) != base::CertificateFault::None) return Reason::CertificateRejected;
  const auto reason = reason_of(static_cast<rd_kafka_resp_err_t>(code));
  return reason == Reason::CredentialsRejected ? reason : Reason::BrokerUnreachable;
}

Error from_kafka(rd_kafka_resp_err_t code, const std::string& doing, const std::string& detail) {
  return {reason_of(code), fmt::format("{}: {} ({}){}{}", doing, rd_kafka_err2str(code), rd_kafka_err2name(code),
                                       detail.empty() ? "" : ": ", detail)};
}

void ClientEvents::attach(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_error_cb(conf, &ClientEvents::error_callback);
  rd_kafka_conf_set_log_cb(conf, &ClientEvents::log_callback);
  rd_kafka_conf_set_ssl_cert_verify_cb(conf, &ClientEvents::certificate_callback);
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

// librdkafka repeats each failed connection many times, so only its most severe messages (level 2 and below) are
// warnings.
void ClientEvents::log_callback(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  base::log::write(level <= 2 ? base::log::Level::Warn : base::log::Level::Debug, "librdkafka",
                   {{"client", rd_kafka_name(client)}, {"facility", facility}, {"text", text}});
}

// This callback only records OpenSSL's result and does not change it, because librdkafka's own error text does not
// contain the cause.
int ClientEvents::certificate_callback(rd_kafka_t*, const char* broker, std::int32_t, int* code, int, const char*,
                                       std::size_t, char* why, std::size_t why_size, void* opaque) {
  if (*code == 0) return 1;
  auto& self = *static_cast<ClientEvents*>(opaque);
  const std::string words(base::verification_error(*code));
  words.copy(why, why_size - 1);
  why[std::min(words.size(), why_size - 1)] = '\0';
  const std::scoped_lock lock(self.mutex_);
  self.certificates_[broker != nullptr ? broker : ""] = words;
  return 0;
}

void ClientEvents::on_error(rd_kafka_resp_err_t code, const char* text) noexcept {
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    all_down_ = true;
    return;
  }
  std::string words = text != nullptr ? text : "";
  const std::scoped_lock lock(mutex_);
  // Several such events may arrive in one poll, so the recorded cause is kept.
  if (base::certificate_fault(words) == base::CertificateFault::Unnamed) {
    for (const auto& [broker, why] : certificates_)
      if (words.find(broker) != std::string::npos) words += ": " + why;
  }
  const auto reason = event_reason(code, words);
  const auto now = base::steady_now();
  // One address of a broker may refuse the client while the next one does not respond. The refusal is more specific, so
  // it is kept for a while.
  const bool told_more = !last_text_.empty() && last_reason_ != Reason::BrokerUnreachable;
  if (reason == Reason::BrokerUnreachable && told_more && now - last_at_ < kToldMore) return;
  last_reason_ = reason;
  last_text_ = std::move(words);
  last_at_ = now;
}

void ClientEvents::forget() {
  const std::scoped_lock lock(mutex_);
  last_text_.clear();
}

Error ClientEvents::unreachable(const std::string& doing) const {
  const std::scoped_lock lock(mutex_);
  if (last_text_.empty()) return {Reason::BrokerUnreachable, fmt::format("{}: no broker answered in time", doing)};
  std::string_view fix;
  if (last_reason_ == Reason::CertificateRejected) fix = base::advice(base::certificate_fault(last_text_));
  if (last_reason_ == Reason::CredentialsRejected) {
    // edenhill/kcat#462: Kafka 4 refuses older libraries although the password is correct.
    const bool old = rd_kafka_version() < kScramOfKafka4 && last_text_.find("SCRAM") != std::string::npos;
    fix = old ? "fix the secret that the channel's sasl names; with Kafka 4 SCRAM needs librdkafka 2.6.1 or later"
              : "fix the secret that the channel's sasl names";
  }
  return {last_reason_, fmt::format("{}: no broker answered in time; last error: {}{}{}", doing, last_text_,
                                    fix.empty() ? "" : "; ", fix)};
}

}  // namespace datasync::kafka
