#pragma once
// Which GTID domains are the source's, and which ones are read without: what the state topic keeps of it, a served
// request for each fact.

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "agents/message/gtid.hpp"

namespace datasync::capture {

/// A domain is the source's when a replica, whichever one, has replicated something of it. Only then must another
/// replica have it as well: a domain of one replica (a heartbeat table) reaches no other. Thread-safe.
class SourceDomains {
 public:
  /// Adds what the state topic keeps.
  void load(const std::set<std::string>& facts);
  /// A replica has replicated this.
  void replicated(const message::GtidSet& set);
  void replicated(std::uint32_t domain);
  /// The domain was replicated once.
  [[nodiscard]] bool contains(std::uint32_t domain) const;
  /// Domains that a replica must have: those of the source, except where a user has accepted that they do not come.
  [[nodiscard]] std::set<std::uint32_t> required() const;

  /// A user accepts that these domains are read no longer.
  void accept(const std::vector<std::uint32_t>& domains);
  /// What changes when a replica is read without the domains `without`. When its copies are due and its facts are kept,
  /// call `begun`.
  struct Change {
    bool copies = false;  ///< every table: readers may have rows that the replica does not have, or lack some of its
    std::vector<std::string> facts;
  };
  [[nodiscard]] Change change(const std::vector<std::uint32_t>& without) const;
  void begun(const Change& change);

  /// The facts that say which domains are the source's: "fact/domain/2".
  [[nodiscard]] std::vector<std::string> facts() const;

 private:
  /// A domain that was left out by a dump, the n-th time; it is over when a dump reads the domain again.
  struct Left {
    unsigned times = 0;
    bool open = false;
    bool accepted = false;  ///< by a user; else it was taken for one of another replica's own
  };

  mutable std::mutex mutex_;
  std::set<std::uint32_t> replicated_;
  std::set<std::uint32_t> accepted_;  ///< no dump has begun yet
  std::map<std::uint32_t, Left> left_;
};

}  // namespace datasync::capture
