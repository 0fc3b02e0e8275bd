#include "agents/capture/stream/output.hpp"

#include <utility>

#include "agents/protocol/mark.hpp"

namespace datasync::capture {

base::Result<std::unique_ptr<KafkaOutput>> KafkaOutput::open(const kafka::Access& access, const std::string& topic,
                                                             const kafka::ProducerOptions& options,
                                                             message::Epoch epoch, protocol::AckTracker& acks,
                                                             std::stop_token stop) {
  std::unique_ptr<KafkaOutput> out(new KafkaOutput(epoch, acks, std::move(stop)));
  DS_ASSIGN(out->producer_,
            kafka::Producer::open(access, topic, options, [raw = out.get()](std::uint64_t token, std::int64_t offset) {
              raw->delivered(token, offset);
            }));
  return out;
}

void KafkaOutput::delivered(std::uint64_t token, std::int64_t offset) {
  acks_.acknowledged(token, offset);
  acked_.fetch_add(1, std::memory_order_relaxed);
  if (waiting_count_.load(std::memory_order_acquire) == 0) return;
  const std::scoped_lock lock(waiting_mutex_);  // also during the call: see forget_waiting
  const auto at = waiting_.find(token);
  if (at == waiting_.end()) return;
  const auto call = std::move(at->second);
  waiting_.erase(at);
  waiting_count_.store(waiting_.size(), std::memory_order_release);
  call();
}

void KafkaOutput::last_words(std::stop_token until) {
  const std::scoped_lock lock(produce_mutex_);
  stop_ = std::move(until);
}

void KafkaOutput::forget_waiting() {
  const std::scoped_lock lock(waiting_mutex_);
  waiting_.clear();
  waiting_count_.store(0, std::memory_order_release);
}

base::Result<void> KafkaOutput::change(std::int32_t stream, message::Headers headers, base::Buffer value,
                                       const message::Gtid& gtid) {
  headers.epoch = epoch_;
  const std::scoped_lock lock(produce_mutex_);
  bytes_.fetch_add(value.size(), std::memory_order_relaxed);
  const auto token = acks_.sent(stream, headers.end, gtid, protocol::mark_of(headers, value.bytes()));
  return producer_->produce(stream, headers, "", std::move(value), token, stop_);
}

base::Result<void> KafkaOutput::between(std::int32_t stream, message::Headers headers, const std::string& value,
                                        OnAcked on_acked) {
  base::Buffer buffer(value.size());
  buffer.append(value);
  return between_rows(stream, std::move(headers), std::move(buffer), std::move(on_acked));
}

base::Result<void> KafkaOutput::between_rows(std::int32_t stream, message::Headers headers, base::Buffer value,
                                             OnAcked on_acked) {
  headers.epoch = epoch_;
  const std::scoped_lock lock(produce_mutex_);
  bytes_.fetch_add(value.size(), std::memory_order_relaxed);
  const auto token = acks_.sent_between(stream, protocol::mark_of(headers, value.bytes()));
  if (on_acked) {
    const std::scoped_lock waiting(waiting_mutex_);
    waiting_.emplace(token, std::move(on_acked));
    waiting_count_.store(waiting_.size(), std::memory_order_release);
  }
  return producer_->produce(stream, headers, "", std::move(value), token, stop_);
}

base::Result<void> KafkaOutput::flush() {
  std::stop_token stop;
  {
    const std::scoped_lock lock(produce_mutex_);
    stop = stop_;
  }
  return producer_->flush(stop);
}

}  // namespace datasync::capture
