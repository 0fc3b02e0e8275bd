#pragma once
// XA transactions that are prepared and not yet decided. See docs/decisions/0007-xa-holding.md.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agents/capture/stream/writer.hpp"
#include "agents/message/gtid.hpp"

namespace datasync::capture {

inline constexpr std::uint64_t kMostHeldBytes = 64ULL << 20U;

/// Keeps the rows of prepared transactions, and knows from where the binlog must be read again after a crash so that
/// they are seen again. Thread-safe.
class PreparedTransactions {
 public:
  /// `floor`: the position just before the prepare.
  void prepare(const std::string& xid, message::GtidSet floor, HeldTransaction held);
  /// The rows, and from now on `gtid` is what publishes them; nothing when the prepare was never seen.
  std::optional<HeldTransaction> commit(const std::string& xid, const message::Gtid& gtid);
  void rollback(const std::string& xid);
  /// Forgets everything (the position was given up).
  void clear();

  /// From where a stream that has `published` needs the binlog: `published`, or earlier while the rows of a transaction
  /// it does not have yet stand in a prepare before it.
  [[nodiscard]] message::GtidSet dump_from(const message::GtidSet& published);
  /// Drops what every stream has. `published`: what all of them have.
  void settle(const message::GtidSet& published);

  [[nodiscard]] std::uint64_t bytes_left() const;
  [[nodiscard]] std::size_t open() const;
  /// A transaction is prepared, or committed and not yet on every stream: only a dump from `dump_from` has its rows.
  [[nodiscard]] bool pending() const;

 private:
  struct Open {
    message::GtidSet floor;
    HeldTransaction held;
  };
  struct Decided {
    message::GtidSet floor;
    message::Gtid gtid;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Open> open_;
  std::vector<Decided> decided_;
  std::uint64_t bytes_ = 0;
};

}  // namespace datasync::capture
