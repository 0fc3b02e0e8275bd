#pragma once
// The prepared statements of one connection, by table version and kind.

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "agents/apply/plan/planner.hpp"
#include "agents/apply/read/row_buffer.hpp"
#include "agents/apply/write/catalog.hpp"
#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/destination/dialect.hpp"
#include "agents/destination/mariadb/bulk.hpp"

namespace datasync::apply {

/// Not thread-safe; must not outlive the connection, the catalog and the dialect.
class Statements {
 public:
  enum class Kind : std::uint8_t { Insert, Upsert, Update, UpdateAllColumns, Delete };

  Statements(sql::Connection& connection, const Dialect& dialect, const Catalog& catalog)
      : connection_(connection), dialect_(dialect), catalog_(catalog) {}

  /// Runs the statement for all `rows`; returns matched rows. `key_from_after`: the row is found by the key of its
  /// after image (or, where there is none, of its before image). DestinationBusy names the table.
  base::Result<std::uint64_t> run(Kind kind, TableIndex table, const RowBuffer& buffer,
                                  std::span<const PlannedRow> rows, bool key_from_after = false);

 private:
  struct Prepared {
    std::vector<StatementText::Parameter> parameters;
    std::unique_ptr<sql::BulkStatement> statement;
  };
  base::Result<Prepared*> get(Kind kind, TableIndex table);

  sql::Connection& connection_;
  const Dialect& dialect_;
  const Catalog& catalog_;
  std::unordered_map<std::uint64_t, Prepared> prepared_;
};

}  // namespace datasync::apply
