#pragma once
// New definitions that readers get without waiting for a row of their table.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agents/capture/plan/selection.hpp"
#include "agents/message/gtid.hpp"
#include "agents/message/schema.hpp"

namespace datasync::capture {

/// Definitions that were read from the server while the dump was behind it: each is valid where the dump has everything
/// that was executed when it was read, if no statement changes the table before. They outlive a connection. For the
/// dump thread; not thread-safe.
class DueDefinitions {
 public:
  /// In place of the one that waited for this table.
  void add(const TableChoice& table, message::SchemaId schema, message::GtidSet executed) {
    due_.insert_or_assign(table.qualified(), Due{schema, std::move(executed)});
  }
  void forget(const TableChoice& table) { due_.erase(table.qualified()); }
  void clear() { due_.clear(); }
  [[nodiscard]] bool empty() const noexcept { return due_.empty(); }

  /// Takes those that are valid at `here`.
  std::vector<std::pair<const TableChoice*, message::SchemaId>> take(const message::GtidSet& here,
                                                                     const Selection& selection) {
    std::vector<std::pair<const TableChoice*, message::SchemaId>> out;
    for (const auto& table : selection.tables()) {
      const auto at = due_.find(table.qualified());
      if (at == due_.end() || !here.contains(at->second.executed)) continue;
      out.emplace_back(&table, at->second.schema);
      due_.erase(at);
    }
    return out;
  }

 private:
  struct Due {
    message::SchemaId schema;
    message::GtidSet executed;
  };
  std::map<std::string, Due> due_;  ///< by qualified name: each connection has a selection of its own
};

}  // namespace datasync::capture
