// The beginning of an epoch: steps 1 to 3 of the protocol.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/capture/session.hpp"
#include "agents/kafka/logs.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr base::Millis kClaimFirst{50}, kClaimCap{2000};
constexpr std::uint32_t kUnknownMessageBytes = 1'000'000;

/// What the checkpoints say was on every stream; they name it also when the streams themselves are gone.
message::GtidSet known_position(const protocol::StateView& view, std::int32_t streams) {
  message::GtidSet all;
  for (std::int32_t i = 0; i < streams; ++i) {
    const auto checkpoint = view.checkpoint(i);
    if (!checkpoint) return {};
    all = i == 0 ? checkpoint->published : message::GtidSet::intersection(all, checkpoint->published);
  }
  return all;
}

}  // namespace

base::Result<std::uint32_t> prepare_topics(const config::Capture& config, const kafka::Access& access, bool create) {
  DS_ASSIGN(const auto admin, kafka::Admin::open(access));
  DS_TRY(kafka::ensure_topics(*admin, config.common.channel, create));
  DS_ASSIGN(const auto info, admin->describe(config.common.channel.topic));
  const auto at = info.config.find("max.message.bytes");
  std::uint32_t bytes = kUnknownMessageBytes;
  if (at != info.config.end()) std::from_chars(at->second.data(), at->second.data() + at->second.size(), bytes);
  return bytes;
}

base::Result<Claims> read_claims(const kafka::Access& access, const config::Capture& config, std::stop_token stop) {
  Claims claims;
  DS_ASSIGN(claims.state, kafka::open_state_log(access, config.common.channel.state_topic()));
  DS_TRY(protocol::catch_up(*claims.state, claims.view, stop));
  return claims;
}

base::Result<Claimed> claim(const Context& around, kafka::Access access, Claims claims, std::uint32_t max_message_bytes,
                            bool& held, std::stop_token stop) {
  const auto& channel = around.config.common.channel;
  Claimed claimed;
  claimed.max_message_bytes = max_message_bytes;
  claimed.state = std::move(claims.state);
  claimed.view = std::move(claims.view);
  DS_ASSIGN(const auto streams, kafka::open_stream_log(access, channel.topic));
  claimed.access = std::move(access);
  DS_TRY(protocol::catch_up(*claimed.state, claimed.view, stop));
  DS_TRY(protocol::may_claim(claimed.view, around.instance));
  held = true;
  base::Backoff backoff(kClaimFirst, kClaimCap);
  const auto may_give_up = [&] { return around.loss.may_give_up(known_position(claimed.view, channel.partitions)); };
  auto recovered = protocol::begin_epoch(*claimed.state, *streams, claimed.view, claimed.epoch, around.instance,
                                         std::max(channel.partitions, 1), backoff, stop, may_give_up);
  if (recovered) {
    claimed.streams = std::move(*recovered);
  } else if (!recovered.error().is(Reason::PositionUnknown) || !may_give_up()) {
    return Error(std::move(recovered).error());
  }
  return claimed;
}

}  // namespace datasync::capture
