#include "agents/destination/instances.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/ledger.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

constexpr std::uint64_t kKept = 1000;  ///< so many instances of a task are remembered

}  // namespace

base::Result<void> Instances::judge(const std::vector<InstanceRank>& newest_first, bool& ranked) const {
  ranked = std::ranges::any_of(newest_first, [this](const auto& row) { return row.instance == key_.instance; });
  if (!ranked || newest_first.front().instance == key_.instance) return {};
  return Error(
      Reason::Superseded,
      fmt::format("instance {} is newer than this one ({}) and has taken over. This one writes nothing any more "
                  "and waits. If the newer one no longer exists, replace this one: delete its pod, or start "
                  "datasync run again",
                  newest_first.front().instance, key_.instance));
}

base::Result<void> Instances::check(DestinationServer& connection) const {
  DS_ASSIGN(const auto rows, connection.ledger().instances(database_, key_, false));
  bool ranked = false;
  return judge(rows, ranked);
}

base::Result<void> Instances::rank(DestinationServer& connection) const {
  DS_ASSIGN(const auto rows, connection.ledger().instances(database_, key_, true));
  bool ranked = false;
  DS_TRY(judge(rows, ranked));
  if (ranked) return {};
  const auto highest = rows.empty() ? 0 : rows.front().rank;
  auto made = connection.ledger().insert_instance(database_, key_, highest + 1);
  if (made) return {};
  if (connection.last_failure() == Failure::DuplicateKey)
    return Error(Reason::DestinationBusy, "another instance claimed the streams at this moment");
  return std::move(made).error();
}

base::Result<void> Instances::claim_in_transaction(DestinationServer& connection, std::int32_t streams,
                                                   const std::set<std::string>& types) const {
  DS_TRY(connection.begin());
  DS_TRY(rank(connection));
  for (std::int32_t stream = 0; stream < streams; ++stream) {
    Ledger row(database_, {key_.task, key_.topic, stream}, types, key_.instance);
    DS_TRY(row.take(connection));
  }
  return connection.commit();
}

base::Result<void> Instances::claim(DestinationServer& connection, std::int32_t streams,
                                    const std::set<std::string>& types) const {
  if (auto claimed = claim_in_transaction(connection, streams, types); !claimed) {
    connection.rollback();
    return claimed;
  }
  // A table that grows with every restart would be read at each. Who may not delete keeps it all.
  auto trimmed = connection.ledger().trim_instances(database_, key_, kKept);
  if (!trimmed) base::log::debug("old instances are kept", {{"message", std::string_view(trimmed.error().what)}});
  return {};
}

}  // namespace datasync::apply
