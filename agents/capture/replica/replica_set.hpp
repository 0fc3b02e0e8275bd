#pragma once
// The replicas: which one is read, and connections to it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/base/clock.hpp"
#include "agents/base/result.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/replica_picker.hpp"
#include "agents/capture/replica/source_domains.hpp"
#include "agents/capture/replica/verdict.hpp"
#include "agents/config/config.hpp"
#include "agents/message/gtid.hpp"
#include "agents/source/source.hpp"

namespace datasync::capture {

/// A replica that was found fit.
struct ChosenReplica {
  std::size_t index = 0;
  config::HostPort server;
  source::HistoryFacts history;
  source::ReplicationLag lag;
  std::vector<TableFacts> tables;
  base::TableNames names{};            ///< how the server compares table names
  std::vector<std::uint32_t> without;  ///< see source::Continuity
  std::vector<std::uint32_t> own;      ///< the same
  /// Domains that it must not replicate while it is read: they would be the source's.
  [[nodiscard]] std::vector<std::uint32_t> left_out() const {
    auto out = without;
    out.insert(out.end(), own.begin(), own.end());
    return out;
  }
};

/// Opens a connection to a replica by its "host:port". Thread-safe.
using ConnectTo = std::function<base::Result<std::unique_ptr<source::Server>>(const std::string& replica)>;

/// So many tables of so many are checked.
using Progress = std::function<void(std::size_t done, std::size_t of)>;

/// Candidates in their order. `connect` may be called from any thread, the rest from one.
class ReplicaSet {
 public:
  using Needed = source::Needed;

  ReplicaSet(const config::Capture& config, const source::Engine& engine, std::uint32_t server_id)
      : config_(config), engine_(engine), server_id_(server_id) {}

  /// Of the candidates that meet all requirements and can continue from what is `needed` (none: from now) the one to
  /// `choose`, from the preferred one on; those after the first that is not late are not asked. Names are resolved and
  /// secrets read afresh at each try.
  /// Errors: one that tells of every candidate, see `combine`.
  base::Result<ChosenReplica> pick(const Selection& selection, const std::optional<Needed>& needed,
                                   std::stop_token stop);
  /// Prefer the candidate after this one from now on: it failed.
  void prefer_after(std::size_t index) noexcept { preferred_ = (index + 1) % config_.replicas.size(); }
  void prefer(std::size_t index) noexcept { preferred_ = index; }
  /// This candidate looked fit, but its dump refused to go on from here, for `error`: `pick` takes that as its answer
  /// until another position is needed or every candidate has refused. Then all are asked anew.
  void dump_refused(std::size_t index, message::GtidSet from, base::Error error);

  [[nodiscard]] source::Rules rules() const noexcept {
    return {config_.allow_primary, config_.allow_cascades, server_id_};
  }
  /// What the server at the end of a connection has turned into since it was taken: nothing wrong, or the findings in
  /// one error, see `verdict`; and how late it is. From any thread. Errors: also those of the connection.
  struct Inspection {
    base::Result<void> fit;
    source::ReplicationLag lag;
    message::GtidSet replicated = {};
  };
  base::Result<Inspection> inspect(source::Server& server, const std::string& replica,
                                   const Selection& selection) const;
  /// True when another candidate than `replica` is fit and not late. From any thread.
  [[nodiscard]] bool better_than(const std::string& replica, const Selection& selection, const Needed& needed,
                                 std::stop_token stop) const;
  /// Something was published before: from now on a captured table that no longer exists is no fault of a candidate. It
  /// was dropped, and the binlog says so where it was not said yet.
  void stream_has_begun() noexcept { begun_ = true; }
  /// Called while the tables of a candidate are checked, which takes long when there are many.
  void on_progress(Progress progress) { progress_ = std::move(progress); }

  /// Which domains are the source's: learnt from every candidate that was asked. From any thread.
  [[nodiscard]] SourceDomains& domains() const noexcept { return domains_; }
  /// Domains of the source of which some candidate of the last `pick` has nothing, while it has all the rest.
  [[nodiscard]] std::vector<std::uint32_t> lacking() const;

  /// `replica` is a HostPort's text.
  base::Result<std::unique_ptr<source::Server>> connect(const std::string& replica) const;
  [[nodiscard]] const source::Engine& engine() const noexcept { return engine_; }

 private:
  /// As `examine`, or what its dump said.
  base::Result<ChosenReplica> ask(std::size_t index, const Selection& selection, const std::optional<Needed>& needed,
                                  std::stop_token stop);
  base::Result<ChosenReplica> examine(std::size_t index, const Selection& selection,
                                      const std::optional<Needed>& needed, std::stop_token stop,
                                      const Progress& progress) const;

  struct DumpRefusal {
    message::GtidSet from;
    base::Error error;
  };

  const config::Capture& config_;
  const source::Engine& engine_;
  std::uint32_t server_id_;
  std::size_t preferred_ = 0;
  std::atomic<bool> begun_ = false;
  std::map<std::size_t, DumpRefusal> dump_refusals_;  ///< by candidate
  /// A primary that had less than was published, by candidate: its numbers were given out again from 1 on, and must not
  /// make it fit as soon as they are high enough.
  std::map<std::size_t, message::GtidSet> diverged_;
  Progress progress_;
  /// Since when a candidate lacks parts of the position and is behind its primary by nothing. A domain that the primary
  /// began a moment ago looks the same.
  struct Lacking {
    std::vector<std::uint32_t> without;
    base::SteadyTime since;
  };
  [[nodiscard]] bool long_lacking(std::size_t index, const std::vector<std::uint32_t>& without, bool caught_up) const;
  mutable SourceDomains domains_;
  mutable std::mutex mutex_;  ///< lacking_, lacking_domains_
  mutable std::map<std::size_t, Lacking> lacking_;
  mutable std::map<std::size_t, std::vector<std::uint32_t>> lacking_domains_;  ///< by candidate, as last examined
};

}  // namespace datasync::capture
