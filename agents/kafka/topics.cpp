#include <charconv>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "agents/kafka/logs.hpp"

namespace datasync::kafka {
namespace {

using base::Error;
using base::Reason;

constexpr std::int64_t kShortRetentionMs = 24LL * 3600 * 1000;
// An update of a 16 MiB row contains it twice. The broker's default, 1 MiB, would refuse rows that are common.
constexpr const char* kMaxMessageBytes = "67108864";

std::string setting(const TopicInfo& info, const std::string& name) {
  const auto at = info.config.find(name);
  return at == info.config.end() ? std::string() : at->second;
}

std::int64_t number(const std::string& text, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void warn(const std::string& topic, std::string_view what) {
  base::log::warn("a topic setting puts data at risk", {{"topic", topic}, {"setting", what}});
}

void warn_of_risks(const std::string& topic, const TopicInfo& info) {
  if (info.replication_factor == 1 && info.brokers > 1)
    warn(topic, "replication factor 1: the loss of one broker's disk loses the topic");
  if (info.replication_factor > 1 && setting(info, "min.insync.replicas") == "1")
    warn(topic, "min.insync.replicas=1: an acknowledged record may be on one broker only");
  if (setting(info, "unclean.leader.election.enable") == "true")
    warn(topic, "unclean.leader.election.enable=true: acknowledged records may be lost");
}

void warn_of_retention(const std::string& topic, const TopicInfo& info) {
  const auto ms = number(setting(info, "retention.ms"), -1);
  if (ms >= 0 && ms < kShortRetentionMs)
    warn(topic, fmt::format("retention.ms={}: an apply agent that is stopped for longer needs a first copy again", ms));
  const auto bytes = number(setting(info, "retention.bytes"), -1);
  if (bytes >= 0) warn(topic, fmt::format("retention.bytes={}: what is not applied yet may be removed", bytes));
}

/// Returns every setting of the two topics that would lose data.
std::vector<std::string> faults(const config::Channel& channel, const TopicInfo& stream, const TopicInfo& state) {
  std::vector<std::string> out;
  if (const auto policy = setting(stream, "cleanup.policy"); policy.find("compact") != std::string::npos)
    out.push_back(
        fmt::format("topic {}: cleanup.policy={} would remove records that are still needed; set it to delete",
                    channel.topic, policy));
  if (stream.partitions != channel.partitions)
    out.push_back(fmt::format("topic {} has {} partitions, channel.partitions is {}: records would be missed",
                              channel.topic, stream.partitions, channel.partitions));
  if (const auto policy = setting(state, "cleanup.policy"); policy != "compact")
    out.push_back(fmt::format("topic {}: cleanup.policy={} would forget claims and checkpoints; set it to compact",
                              channel.state_topic(), policy));
  if (state.partitions != 1)
    out.push_back(fmt::format("topic {} has {} partitions, it must have 1: claims need one total order",
                              channel.state_topic(), state.partitions));
  return out;
}

Error missing(const std::string& topic, const std::string& more) {
  return {Reason::TopicMissing, fmt::format("topic {} does not exist{}", topic, more)};
}

std::map<std::string, std::string> settings_for_new(const config::Channel& channel, const char* policy) {
  std::map<std::string, std::string> out{{"cleanup.policy", policy}};
  out.emplace("max.message.bytes", kMaxMessageBytes);
  if (channel.replication_factor >= 3) out.emplace("min.insync.replicas", "2");
  return out;
}

}  // namespace

base::Result<void> ensure_topics(Admin& admin, const config::Channel& channel, bool create) {
  const auto state_topic = channel.state_topic();
  DS_ASSIGN(auto stream, admin.describe(channel.topic));
  DS_ASSIGN(auto state, admin.describe(state_topic));
  if (!create && (!stream.exists || !state.exists)) return missing(stream.exists ? state_topic : channel.topic, "");
  if (!stream.exists && state.exists)
    return missing(channel.topic,
                   fmt::format(", but {} does: it was deleted. Delete {} too to start from an empty topic", state_topic,
                               state_topic));
  if (!stream.exists) {
    DS_TRY(admin.create(channel.topic, channel.partitions, channel.replication_factor,
                        settings_for_new(channel, "delete")));
    DS_ASSIGN(stream, admin.describe(channel.topic));
  }
  // The state topic is created last: an empty stream without one is the result of a crash between the two.
  if (!state.exists) {
    DS_ASSIGN(const auto empty, admin.empty(channel.topic, stream.partitions));
    if (!empty)
      return missing(state_topic, fmt::format(", but {} has records: who writes them and up to where is lost. "
                                              "Delete {} too to start from an empty topic",
                                              channel.topic, channel.topic));
    DS_TRY(admin.create(state_topic, 1, channel.replication_factor, settings_for_new(channel, "compact")));
    DS_ASSIGN(state, admin.describe(state_topic));
  }
  if (const auto wrong = faults(channel, stream, state); !wrong.empty())
    return Error(Reason::TopicMisconfigured, fmt::format("{}", fmt::join(wrong, "\n")));
  warn_of_risks(channel.topic, stream);
  warn_of_risks(state_topic, state);
  warn_of_retention(channel.topic, stream);
  return {};
}

}  // namespace datasync::kafka
