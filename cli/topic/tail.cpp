#include "cli/topic/tail.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"
#include "agents/kafka/consumer.hpp"
#include "cli/local/validate.hpp"
#include "operator/desired/desired.hpp"

namespace datasync::cli {
namespace {

using kafka::Consumer;

constexpr kafka::ConsumerOptions kSmallQueue{1024, 1U << 20U};
constexpr std::int64_t kDefaultOffset = -10;
constexpr std::string_view kStateSuffix = ".state";
constexpr base::Millis kWait{50};
constexpr base::Millis kSilence{15'000};  // for this long without reaching the end: the broker no longer responds

/// The schemas of a state topic; it continues to read the topic when an unknown schema is requested.
class Schemas {
 public:
  Schemas(const kafka::Access& access, std::string state_topic) : access_(access), topic_(std::move(state_topic)) {}

  std::optional<message::TableSchema> find(message::SchemaId id) {
    if (!known_.contains(id)) read_on();
    const auto at = known_.find(id);
    return at == known_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  // A schema that cannot be read is not known, and the line that needs it reports that.
  void read_on() {
    if (!consumer_) {
      auto opened = Consumer::open(access_, topic_, 0, Consumer::kFirst, kSmallQueue);
      if (!opened) return;
      consumer_ = std::move(*opened);
    }
    const auto ends = consumer_->watermarks();
    const auto until = base::steady_now() + kSilence;
    while (ends && consumer_->position() < ends->high && base::steady_now() < until) {
      const auto record = consumer_->next(kWait);
      if (!record) return;
      if (*record) take(**record);
    }
  }
  void take(const kafka::Record& record) {
    const auto headers = record.headers();
    if (!headers || headers->kind != message::Kind::SchemaBody || record.tombstone()) return;
    if (auto schema = message::parse_schema(record.value())) {
      const auto id = schema->id();
      known_.insert_or_assign(id, std::move(*schema));
    }
  }

  const kafka::Access& access_;
  std::string topic_;
  std::unique_ptr<Consumer> consumer_;
  std::map<message::SchemaId, message::TableSchema> known_;
};

struct Partition {
  std::int32_t number = 0;
  std::unique_ptr<Consumer> consumer;
  std::int64_t end = 0;
  [[nodiscard]] bool at_end() const { return consumer->position() >= end; }
};

base::Result<Partition> open_partition(const kafka::Access& access, const TailOptions& options, std::int32_t number) {
  Partition out;
  out.number = number;
  DS_ASSIGN(out.consumer, Consumer::open(access, options.topic, number, Consumer::kFirst, kSmallQueue));
  DS_ASSIGN(const auto ends, out.consumer->watermarks());
  out.end = ends.high;
  const auto wanted = options.from_beginning ? ends.low : options.offset.value_or(kDefaultOffset);
  const auto from = std::clamp(wanted < 0 ? ends.high + wanted : wanted, ends.low, ends.high);
  DS_TRY(out.consumer->seek(from));
  return out;
}

base::Result<std::vector<Partition>> open_partitions(const kafka::Access& access, const TailOptions& options) {
  std::vector<Partition> out;
  if (options.partition) {
    DS_ASSIGN(auto one, open_partition(access, options, *options.partition));
    out.push_back(std::move(one));
    return out;
  }
  DS_ASSIGN(const auto admin, kafka::Admin::open(access));
  DS_ASSIGN(const auto info, admin->describe(options.topic));
  if (!info.exists) {
    return base::Error(base::Reason::TopicMissing, fmt::format("topic {} does not exist", options.topic));
  }
  for (std::int32_t i = 0; i < info.partitions; ++i) {
    DS_ASSIGN(auto one, open_partition(access, options, i));
    out.push_back(std::move(one));
  }
  return out;
}

class Tail {
 public:
  Tail(const kafka::Access& access, const TailOptions& options, const std::function<void(std::string_view)>& print)
      : options_(options),
        print_(print),
        schemas_(access,
                 options.topic.ends_with(kStateSuffix) ? options.topic : options.topic + std::string(kStateSuffix)) {}

  base::Result<void> run(std::vector<Partition> partitions, const std::stop_token& stop) {
    auto heard = base::steady_now();
    while (!stop.stop_requested() && !full()) {
      bool moved = false;
      bool all_at_end = true;
      for (auto& p : partitions) {
        DS_ASSIGN(const bool one, step(p));
        moved = moved || one;
        all_at_end = all_at_end && p.at_end();
      }
      if (all_at_end && !options_.follow) return {};
      if (moved || all_at_end) heard = base::steady_now();
      if (base::steady_now() - heard > kSilence) {
        return base::Error(base::Reason::BrokerUnreachable,
                           fmt::format("topic {} returned no records", options_.topic));
      }
      if (!moved) base::sleep_for(stop, kWait);
    }
    return {};
  }

 private:
  [[nodiscard]] bool full() const { return options_.max != 0 && printed_ >= options_.max; }

  // Reads the available records of one partition, up to a limit, because the other partitions wait.
  base::Result<bool> step(Partition& p) {
    constexpr int kAtOnce = 500;
    const auto before = p.consumer->position();
    for (int i = 0; i < kAtOnce && !full() && (options_.follow || !p.at_end()); ++i) {
      DS_ASSIGN(const auto record, p.consumer->next(base::Millis(0)));
      if (!record) break;
      if (!options_.follow && record->offset() >= p.end) break;
      show(p, *record);
    }
    return p.consumer->position() != before;
  }

  void show(const Partition& p, const kafka::Record& record) {
    const RawRecord raw{p.number, record.offset(), record.headers(), record.key(), record.value(), record.tombstone()};
    const auto find = [this](message::SchemaId id) { return schemas_.find(id); };
    for (const auto& line : record_lines(raw, options_.filter, find)) {
      if (full()) return;
      print_(line);
      ++printed_;
    }
  }

  const TailOptions& options_;
  const std::function<void(std::string_view)>& print_;
  Schemas schemas_;
  std::uint64_t printed_ = 0;
};

}  // namespace

base::Result<void> tail(const kafka::Access& access, const TailOptions& options, std::stop_token stop,
                        const std::function<void(std::string_view)>& print) {
  DS_ASSIGN(auto partitions, open_partitions(access, options));
  return Tail(access, options, print).run(std::move(partitions), stop);
}

base::Result<kafka::Access> channel_of(const std::filesystem::path& file, const std::filesystem::path& secrets_dir,
                                       std::string& topic) {
  std::ostringstream problems;
  const auto loaded = load({file}, problems);
  if (!loaded.valid) return base::Error(base::Reason::ConfigInvalid, problems.str());
  for (const auto& r : loaded.resources) {
    const auto& own = r.spec.channel.topic;
    if (!topic.empty() && topic != own && topic != own + std::string(kStateSuffix)) continue;
    if (topic.empty()) topic = own;
    return kafka::access(desired::channel_config(r.spec.channel), secrets_dir);
  }
  return base::Error(base::Reason::ConfigInvalid,
                     fmt::format("{} has no resource with topic {}", file.string(), topic));
}

}  // namespace datasync::cli
