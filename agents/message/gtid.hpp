#pragma once
// MariaDB GTIDs (https://mariadb.com/kb/en/gtid/): domain-server-sequence. With gtid_strict_mode the sequence increases
// within a domain, whichever server writes, so one GTID per domain identifies all transactions up to it.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"

namespace datasync::message {

/// The id of one transaction.
struct Gtid {
  std::uint32_t domain = 0;
  std::uint32_t server = 0;
  std::uint64_t sequence = 0;

  auto operator<=>(const Gtid&) const = default;
  [[nodiscard]] std::string text() const;  ///< "0-1-100"
  /// Parses the text form. Errors: BinlogCorrupt naming the text.
  static base::Result<Gtid> parse(std::string_view text);
};

/// A position: the set of all transactions up to one GTID in each domain. The empty set is the position before all
/// transactions. Sequences of different domains are never compared. Value type; not thread-safe.
class GtidSet {
 public:
  GtidSet() = default;
  /// Parses "0-1-100,1-2-7"; an empty text is the empty set; at most one GTID per domain. Errors: BinlogCorrupt naming
  /// the text.
  static base::Result<GtidSet> parse(std::string_view text);

  [[nodiscard]] bool empty() const noexcept { return last_.empty(); }
  [[nodiscard]] bool contains(const Gtid& g) const noexcept;
  [[nodiscard]] bool contains(const GtidSet& other) const noexcept;  ///< other is a subset of this
  /// Advances the domain to `g`. A lower sequence leaves the set unchanged and returns false.
  bool add(const Gtid& g);
  void unite(const GtidSet& other);  ///< keeps the higher GTID of each domain
  /// Keeps the lower GTID of each domain; a domain that is missing in one of the sets is left out.
  [[nodiscard]] static GtidSet intersection(const GtidSet& a, const GtidSet& b);
  [[nodiscard]] std::string text() const;  ///< ascending by domain, as @slave_connect_state requires
  [[nodiscard]] const std::map<std::uint32_t, Gtid>& domains() const noexcept { return last_; }

  bool operator==(const GtidSet&) const = default;

 private:
  std::map<std::uint32_t, Gtid> last_;
};

}  // namespace datasync::message
