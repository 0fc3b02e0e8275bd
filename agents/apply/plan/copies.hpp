#pragma once
// Tables of which rows at the destination may differ from the source's: their rows are left out until a copy of them
// comes, which is asked for on the state topic (docs/decisions/0027-ways-on-end-equal.md).

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/apply/read/assembler.hpp"
#include "agents/apply/read/schema_book.hpp"
#include "agents/base/result.hpp"
#include "agents/config/config.hpp"
#include "agents/destination/copy_token.hpp"
#include "agents/destination/ledger.hpp"

namespace datasync::apply {

/// The qualified source names of the tables that a record tells of. A record of which nobody can say (its value cannot
/// be read) is about all tables of its type; one that is not ours is about none. `snapshot`: of the ledger, for a
/// record that bounds it. Errors: those of the schema book.
base::Result<std::vector<std::string>> tables_of(const Incoming& record, const SnapshotState& snapshot,
                                                 SchemaBook& book, std::stop_token stop);

/// The copies that one stream waits for. Not thread-safe.
class AwaitedCopies {
 public:
  /// All must outlive it.
  AwaitedCopies(const config::Apply& config, SchemaBook& book, std::int32_t stream, std::int32_t streams)
      : config_(config), book_(book), stream_(stream), streams_(streams) {}

  /// What `copyTables` of the configuration asks for and nobody has asked for yet, as it is to be awaited. Errors:
  /// those of the state topic.
  base::Result<Awaited> ordered(std::stop_token stop);
  /// The tables of `copyTables` of which no copy comes on this stream, as the state topic was last read: another stream
  /// has them, or this task no longer stores their type.
  [[nodiscard]] std::vector<std::string> ordered_elsewhere();
  /// Every table that may come on this stream, as the state topic names them. Errors: those of the state topic.
  base::Result<std::vector<std::string>> all_here(std::stop_token stop);
  /// What is to be awaited when the record at `offset` is skipped.
  [[nodiscard]] Awaited skipped(std::int64_t offset, const std::vector<std::string>& tables) const;
  /// What is to be awaited when a table cannot be altered with its rows, at the place of the stream before
  /// `next_offset`.
  [[nodiscard]] Awaited unaltered(std::int64_t next_offset, const std::string& table) const;

  /// Requests what the ledger has and no request names yet. Returns the tables of which no copy comes on this stream:
  /// another stream has them, this task stores none of their type, or the source does not have them (capture copies
  /// such a table with an order to empty it, should it appear later). What fails is tried again at the next call.
  std::vector<std::string> look(const Awaited& committed, std::stop_token stop);
  /// What the status says of them: AwaitingCopy, or CopyNeeded when this agent may not ask. Nothing when no copy is
  /// awaited, or only of tables that the source does not have.
  [[nodiscard]] std::optional<base::Error> state(const Awaited& committed);

 private:
  [[nodiscard]] bool may_be_here(const std::string& table);
  [[nodiscard]] bool is_absent(const std::string& table, const std::string& request);

  const config::Apply& config_;
  SchemaBook& book_;
  std::int32_t stream_, streams_;
  std::optional<base::Error> refused_;  ///< why the last request was not written
};

}  // namespace datasync::apply
