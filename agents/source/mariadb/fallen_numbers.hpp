#pragma once
// Sequence numbers that fell within a domain before a new stream began: a server wrote without gtid_strict_mode. Its
// binlog has 0-1-15 before 0-1-12, so a dump from 0-1-12 begins with 0-1-15, which is before the position all the same.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"
#include "agents/source/mariadb/binlog_stream.hpp"

namespace datasync::source::mariadb {

/// Of one domain: transactions with numbers up to `highest` are in the binlog before `last`, a position.
struct FallenNumbers {
  message::Gtid last;
  std::uint64_t highest = 0;
  bool operator==(const FallenNumbers&) const = default;
};

/// As capture keeps them for later streams: "0-1-12/15". See Engine::before_start.
std::string fallen_text(const FallenNumbers& fallen);
std::optional<FallenNumbers> parse_fallen(std::string_view text);
/// Texts of another form are left out.
std::vector<FallenNumbers> parse_fallen(const std::vector<std::string>& texts);

/// Finds them among the transactions that a dump from `position` gives. Pure.
class FallenSearch {
 public:
  explicit FallenSearch(message::GtidSet position) : position_(std::move(position)) {}
  void transaction(const message::Gtid& gtid);
  [[nodiscard]] const std::vector<FallenNumbers>& found() const noexcept { return found_; }

 private:
  message::GtidSet position_;
  std::map<std::uint32_t, std::uint64_t> highest_;
  std::vector<FallenNumbers> found_;
};

/// The same from a server: reads its binlog from `dump.position` to where it ends now. `on_event` is called for each
/// event. Errors: Stopping; those of BinlogStream.
base::Result<std::vector<FallenNumbers>> find_fallen(const sql::ConnectOptions& connect, sql::DumpOptions dump,
                                                     const message::GtidSet& position, std::stop_token stop,
                                                     const std::function<void()>& on_event);

}  // namespace datasync::source::mariadb
