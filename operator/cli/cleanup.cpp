#include "operator/cli/cleanup.hpp"

#include <chrono>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "agents/apply/ledger.hpp"
#include "agents/apply/session.hpp"
#include "agents/base/log.hpp"
#include "agents/config/config.hpp"
#include "agents/kafka/client.hpp"

namespace datasync::cli {
namespace {

constexpr std::chrono::seconds kReadTimeout{60};

base::Result<void> forget_topics(const config::Capture& c, std::ostream& out) {
  const auto& channel = c.common.channel;
  DS_ASSIGN(const auto access, kafka::access(channel, c.common.secrets_dir));
  DS_ASSIGN(const auto admin, kafka::Admin::open(access));
  // The state topic last: while it stands, the position is known to whoever has to begin this again.
  for (const auto& topic : {channel.topic, channel.state_topic()}) {
    DS_TRY(admin->remove(topic));
    fmt::print(out, "topic {} is deleted\n", topic);
  }
  return {};
}

base::Result<void> forget_ledger(const config::Apply& c, std::ostream& out) {
  const auto dialect = apply::make_dialect(c.engine);
  if (!dialect) return base::Error(base::Reason::ConfigInvalid, "this version does not know the destination's engine");
  DS_ASSIGN(const auto connection, apply::connect_destination(c, kReadTimeout));
  DS_TRY(apply::Ledger::forget(*connection, *dialect, c.ledger_database, c.common.name));
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
      fmt::print(out, "{} is the configuration of no agent\nas capture: {}\nas apply: {}\n", file.string(),
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
