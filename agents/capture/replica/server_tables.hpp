#pragma once
// The server that is read, asked about its tables and character sets: as it has them now.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agents/base/result.hpp"
#include "agents/binlog/schema.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/verdict.hpp"
#include "agents/message/gtid.hpp"
#include "agents/source/source.hpp"

namespace datasync::capture {

/// One connection, opened at its first use and again after the server closed it. Not thread-safe.
class ServerTables {
 public:
  using Connect = std::function<base::Result<std::unique_ptr<source::Server>>()>;
  /// `selection`: as the server compares names; it must outlive this.
  ServerTables(Connect connect, const source::Rules& rules, const Selection& selection)
      : connect_(std::move(connect)), rules_(rules), selection_(selection) {}

  // Errors of all: those of the connection.

  /// Nothing when there is no such table. Errors: UnsupportedType too.
  base::Result<std::optional<source::TableInfo>> info(const TableChoice& table);
  /// What the preflight checks of it.
  base::Result<TableFacts> facts(const TableChoice& table);
  /// Everything that stands in the server's binlog.
  base::Result<message::GtidSet> executed();

  /// Reads the collations, once.
  base::Result<void> read_collations();
  [[nodiscard]] std::optional<binlog::Collation> collation(std::uint32_t id) const;
  /// Nothing when it cannot be converted, or when the server did not answer: `trouble` then says why.
  std::optional<std::string> to_utf8(std::string_view charset, std::string_view text);
  /// The connection's error in a call of `to_utf8` since the last call of this.
  std::optional<base::Error> trouble() { return std::exchange(trouble_, std::nullopt); }

 private:
  base::Result<source::Server*> server();
  template <class Call>
  auto asked(Call call) -> decltype(call(std::declval<source::Server&>()));

  Connect connect_;
  source::Rules rules_;
  const Selection& selection_;
  std::unique_ptr<source::Server> server_;
  std::map<std::uint32_t, binlog::Collation> collations_;
  std::optional<base::Error> trouble_;
};

}  // namespace datasync::capture
