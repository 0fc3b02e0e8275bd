#pragma once
// The prepared statements of one connection, by table version and verb.

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "agents/client/mysql/connection.hpp"
#include "agents/destination/destination.hpp"
#include "agents/destination/mariadb/bulk.hpp"
#include "agents/destination/mariadb/dialect.hpp"

namespace datasync::apply {

class MariaDbRowStatements final : public RowStatements {
 public:
  explicit MariaDbRowStatements(sql::Connection& connection) : connection_(connection) {}
  base::Result<std::uint64_t> run(RowVerb verb, std::uint64_t id, const StatementTable& table,
                                  std::span<const RowImages> rows) override;

 private:
  struct Prepared {
    std::vector<StatementText::Parameter> parameters;
    std::unique_ptr<sql::BulkStatement> statement;
  };
  base::Result<Prepared*> get(RowVerb verb, std::uint64_t id, const StatementTable& table);

  sql::Connection& connection_;
  std::unordered_map<std::uint64_t, Prepared> prepared_;
};

}  // namespace datasync::apply
