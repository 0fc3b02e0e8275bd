#include "cli/topic/cleanup.hpp"

#include <chrono>
#include <set>
#include <string>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/engines/engines.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/kafka/client.hpp"
#include "agents/kafka/logs.hpp"
#include "agents/message/instance.hpp"

namespace datasync::cli {
namespace {

constexpr std::chrono::seconds kReadTimeout{60};

base::Error not_ours(const std::string& topic, std::string_view why) {
  return {base::Reason::ForeignMessage,
          fmt::format("topic {}: {}; it is not deleted. Delete it and {}.state manually if they are not needed", topic,
                      why, topic)};
}

/// Returns the tasks that have claimed the topic, by name; empty for a claim without a task.
base::Result<std::set<std::string>> claimants(const kafka::Access& access, const std::string& state_topic) {
  DS_ASSIGN(const auto log, kafka::open_state_log(access, state_topic));
  DS_ASSIGN(const auto records, log->read_to_end({}));
  std::set<std::string> out;
  for (const auto& record : records) {
    if (record.kind != message::Kind::Claim || record.removed) continue;
    DS_ASSIGN(const auto claim, message::decode<message::Claim>(base::as_bytes(record.value)));
    out.emplace(message::task_of(claim.instance));
  }
  return out;
}

/// The claims show which task owns the topic: the newest claim of every task is always kept. A topic of
/// another program, or of another task that a resource names by mistake, must not be deleted. One claim of another task
/// is enough to refuse, because the order of the claims does not show which of the two resources is wrong.
base::Result<void> confirm_ours(const config::Capture& c, const kafka::Access& access, kafka::Admin& admin) {
  const auto& channel = c.common.channel;
  DS_ASSIGN(const auto stream, admin.describe(channel.topic));
  DS_ASSIGN(const auto state, admin.describe(channel.state_topic()));
  if (!state.exists && !stream.exists) return {};
  if (!state.exists) return not_ours(channel.topic, fmt::format("there is no {}", channel.state_topic()));
  if (state.partitions != 1)
    return not_ours(channel.topic, fmt::format("{} has {} partitions", channel.state_topic(), state.partitions));
  DS_ASSIGN(auto tasks, claimants(access, channel.state_topic()));
  const bool ours = tasks.erase(c.common.name) > 0;
  tasks.erase("");
  if (!tasks.empty()) return not_ours(channel.topic, fmt::format("{} captured into it", fmt::join(tasks, ", ")));
  if (ours || !stream.exists) return {};
  DS_ASSIGN(const auto empty, admin.empty(channel.topic, stream.partitions));
  if (!empty) return not_ours(channel.topic, fmt::format("it holds records, and {} never claimed it", c.common.name));
  return {};
}

base::Result<void> forget_topics(const config::Capture& c, std::ostream& out) {
  const auto& channel = c.common.channel;
  DS_ASSIGN(const auto access, kafka::access(channel, c.common.secrets_dir));
  DS_ASSIGN(const auto admin, kafka::Admin::open(access));
  DS_TRY(confirm_ours(c, access, *admin));
  // The state topic is deleted last: a repeated cleanup needs its claims to confirm the owner.
  for (const auto& topic : {channel.topic, channel.state_topic()}) {
    DS_TRY(admin->remove(topic));
    fmt::print(out, "topic {} is deleted\n", topic);
  }
  return {};
}

base::Result<void> forget_ledger(const config::Apply& c, std::ostream& out) {
  DS_ASSIGN(const auto engine, apply::make_engine(c.engine));
  DS_ASSIGN(const auto connection, engine->connect(c, kReadTimeout));
  DS_TRY(apply::Ledger::forget(*connection, c.ledger_database, c.common.name));
  fmt::print(out, "the ledger rows of {} at {} are deleted\n", c.common.name, c.destination.text());
  return {};
}

}  // namespace

int cleanup(const std::vector<std::filesystem::path>& configs, std::ostream& out) {
  base::log::init("cleanup", base::log::Level::Warn, base::log::Format::Text);
  std::vector<base::Result<void>> results;
  for (const auto& file : configs) {
    const auto text = config::read_file(file);
    if (!text) {
      fmt::print(out, "{}\n", text.error().what);
      return 2;
    }
    if (const auto capture = config::read_capture(*text)) {
      results.push_back(forget_topics(*capture, out));
    } else if (const auto apply = config::read_apply(*text)) {
      results.push_back(forget_ledger(*apply, out));
    } else {
      fmt::print(out, "{} is not the configuration of an agent\nas capture: {}\nas apply: {}\n", file.string(),
                 capture.error().what, apply.error().what);
      return 2;
    }
  }
  int code = 0;
  for (const auto& r : results) {
    if (r) continue;
    fmt::print(out, "{}: {}\n", base::to_string(r.error().reason), r.error().what);
    code = 1;
  }
  return code;
}

}  // namespace datasync::cli
