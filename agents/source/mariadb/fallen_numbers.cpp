#include "agents/source/mariadb/fallen_numbers.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "agents/binlog/event.hpp"

namespace datasync::source::mariadb {
namespace {

constexpr std::chrono::milliseconds kHeartbeat{50};  // comes when the binlog has nothing more; the search ends then
constexpr std::uint64_t kFourGiB = std::uint64_t{1} << 32U;
constexpr std::size_t kChecksum = 4;

/// Whether the events of a dump have come to where the binlog ended when it began.
class UntilEnd {
 public:
  explicit UntilEnd(sql::BinlogPlace end) : end_(std::move(end)) {}
  [[nodiscard]] bool reached(const binlog::EventHeader& header, base::Bytes event) {
    using binlog::EventType;
    if (header.type == EventType::Heartbeat || header.type == EventType::HeartbeatV2) return true;
    if (header.type == EventType::Rotate) {
      const bool was_last = in_last_;
      const auto name =
          base::as_text(event.subspan(std::min(event.size(), binlog::kHeaderSize + sizeof(std::uint64_t))));
      in_last_ = name.starts_with(end_.file) && name.size() <= end_.file.size() + kChecksum;
      position_ = 0;
      return was_last && !in_last_;
    }
    if (header.next_position == 0) return false;  // made up by the server for the dump
    // The header has 32 bits for a position that may be above 4 GiB.
    auto next = position_ / kFourGiB * kFourGiB + header.next_position;
    if (next < position_) next += kFourGiB;
    position_ = next;
    return in_last_ && position_ >= end_.position;
  }

 private:
  sql::BinlogPlace end_;
  bool in_last_ = false;
  std::uint64_t position_ = 0;
};

message::Gtid gtid_of(const binlog::EventHeader& header, base::Bytes event) {
  base::Cursor body(event.subspan(binlog::kHeaderSize));
  message::Gtid gtid;
  gtid.sequence = body.get<std::uint64_t>();
  gtid.domain = body.get<std::uint32_t>();
  gtid.server = header.server_id;
  return gtid;
}

}  // namespace

std::string fallen_text(const FallenNumbers& fallen) {
  return fmt::format("{}/{}", fallen.last.text(), fallen.highest);
}

std::optional<FallenNumbers> parse_fallen(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  FallenNumbers out;
  const auto last = message::Gtid::parse(text.substr(0, slash));
  const auto number = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.highest);
  if (!last || error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  out.last = *last;
  return out;
}

std::vector<FallenNumbers> parse_fallen(const std::vector<std::string>& texts) {
  std::vector<FallenNumbers> out;
  for (const auto& text : texts)
    if (auto fallen = parse_fallen(std::string_view(text))) out.push_back(std::move(*fallen));
  return out;
}

void FallenSearch::transaction(const message::Gtid& gtid) {
  const auto last = position_.domains().find(gtid.domain);
  if (last == position_.domains().end()) return;
  auto& highest = highest_[gtid.domain];
  if (gtid != last->second) {
    highest = std::max(highest, gtid.sequence);
    return;
  }
  std::erase_if(found_, [&](const FallenNumbers& f) { return f.last == gtid; });
  if (highest > gtid.sequence) found_.push_back({gtid, highest});
}

base::Result<std::vector<FallenNumbers>> find_fallen(const sql::ConnectOptions& connect, sql::DumpOptions dump,
                                                     const message::GtidSet& position, std::stop_token stop,
                                                     const std::function<void()>& on_event) {
  dump.position = position.text();
  dump.heartbeat = kHeartbeat;
  dump.strict = false;  // the position is in a hole where numbers fell before it
  DS_ASSIGN(const auto stream, sql::BinlogStream::open(connect, dump));
  const std::stop_callback wake(stop, [&] { stream->abort(); });
  FallenSearch search(position);
  UntilEnd end(stream->end());
  while (true) {
    auto event = stream->next([](base::Bytes) { return false; });
    if (stop.stop_requested()) return base::Error(base::Reason::Stopping, "a stop was requested");
    if (!event) return std::move(event).error();
    on_event();
    if (!event->whole) continue;  // neither a GTID nor the last event of a transaction is that large
    DS_ASSIGN(const auto header, binlog::parse_header(event->bytes, ""));
    if (header.type == binlog::EventType::Gtid) search.transaction(gtid_of(header, event->bytes));
    if (end.reached(header, event->bytes)) return search.found();
  }
}

}  // namespace datasync::source::mariadb
