#include "agents/destination/memory/server.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/destination/memory/memory.hpp"
#include "agents/destination/memory/rows.hpp"
#include "agents/message/row.hpp"

namespace datasync::apply {

class MemoryRowStatements final : public RowStatements {
 public:
  explicit MemoryRowStatements(MemoryServer& server) : server_(server) {}
  base::Result<std::uint64_t> run(RowVerb verb, std::uint64_t /*id*/, const StatementTable& table,
                                  std::span<const RowImages> rows) override {
    const TargetName name{table.database, table.table};
    server_.failure_ = Failure::Other;
    std::uint64_t found = 0;
    DS_TRY(server_.transaction_.change(
        memory_table(name.qualified()), [&](std::optional<MemoryObject>& object) -> base::Result<void> {
          if (!object) return base::Error(base::Reason::DestinationTableMissing, name.qualified() + " does not exist");
          const auto done = memory_run(*object, verb, table, rows);
          if (done) {
            found = *done;
            return {};
          }
          server_.failure_ = Failure::DuplicateKey;
          return base::Error(base::Reason::ConstraintViolated, name.qualified() + ": a unique key has the value");
        }));
    return found;
  }

 private:
  MemoryServer& server_;
};

namespace {

class Rows final : public StoredRows {
 public:
  Rows(message::TableSchema schema, std::vector<MemoryRow> rows) : schema_(std::move(schema)), rows_(std::move(rows)) {}
  base::Result<bool> next(base::Buffer& out) override {
    if (at_ == rows_.size()) return false;
    const auto& row = rows_[at_++];
    message::ImageWriter image(out, row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i]) {
        image.null();
      } else if (message::value_width(schema_.columns[i].type) == message::kVariable) {
        image.bytes(base::as_bytes(*row[i]));
      } else {
        image.fixed_bytes(base::as_bytes(*row[i]));
      }
    }
    return true;
  }

 private:
  message::TableSchema schema_;
  std::vector<MemoryRow> rows_;  ///< the columns of the schema
  std::size_t at_ = 0;
};

class MemoryEngine final : public DestinationEngine {
 public:
  explicit MemoryEngine(std::shared_ptr<MemoryDatabase> database) : database_(std::move(database)) {}
  base::Result<std::unique_ptr<DestinationServer>> connect(const config::Apply& /*config*/,
                                                           std::chrono::seconds /*read_timeout*/) const override {
    if (database_->stopped()) return base::Error(base::Reason::DestinationUnreachable, "the database is stopped");
    return std::unique_ptr<DestinationServer>(std::make_unique<MemoryServer>(database_, dialect_));
  }
  [[nodiscard]] const Dialect& dialect() const noexcept override { return dialect_; }

 private:
  std::shared_ptr<MemoryDatabase> database_;
  MemoryDialect dialect_;
};

}  // namespace

std::unique_ptr<DestinationEngine> make_memory_engine(std::shared_ptr<MemoryDatabase> database) {
  return std::make_unique<MemoryEngine>(std::move(database));
}

base::Result<void> MemoryServer::begin() {
  transaction_.begin();
  return {};
}

base::Result<void> MemoryServer::commit() {
  DS_TRY(transaction_.all());  // the connection works
  transaction_.commit();
  return {};
}

base::Result<void> MemoryServer::set_savepoint(Savepoint at) {
  transaction_.set_savepoint(at);
  return {};
}

base::Result<void> MemoryServer::rollback_to(Savepoint at) {
  if (transaction_.rollback_to(at)) return {};
  return base::Error(base::Reason::DestinationRefused, "there is no such savepoint");
}

std::unique_ptr<RowStatements> MemoryServer::row_statements() {
  return std::make_unique<MemoryRowStatements>(*this);
}

base::Result<MemoryObject> MemoryServer::existing(const TargetName& name) const {
  DS_ASSIGN(auto object, transaction_.read(memory_table(name.qualified())));
  if (!object) return base::Error(base::Reason::DestinationTableMissing, name.qualified() + " does not exist");
  return std::move(*object);
}

base::Result<std::uint64_t> MemoryServer::delete_batch(const TargetName& name) {
  constexpr std::size_t kMost = 2;  // so that tests with few rows see several batches
  std::uint64_t gone = 0;
  DS_TRY(transaction_.change(
      memory_table(name.qualified()), [&](std::optional<MemoryObject>& object) -> base::Result<void> {
        if (!object) return base::Error(base::Reason::DestinationTableMissing, name.qualified() + " does not exist");
        gone = std::min(kMost, object->rows.size());
        object->rows.resize(object->rows.size() - gone);
        return {};
      }));
  return gone;
}

base::Result<bool> MemoryServer::has_key(const StatementTable& table, const base::Bytes* image) {
  DS_ASSIGN(const auto object, existing({table.database, table.table}));
  return memory_count(object, table, image) > 0;
}

base::Result<std::unique_ptr<StoredRows>> MemoryServer::read(const message::TableSchema& schema,
                                                             const TargetName& name) {
  DS_ASSIGN(const auto object, existing(name));
  std::vector<MemoryRow> rows(object.rows.size());
  for (const auto& column : schema.columns) {
    const auto at = memory_column(object.info, column.name);
    if (!at || object.info.schema.columns[*at].type != column.type)
      return base::Error(base::Reason::DestinationSchemaMismatch,
                         fmt::format("{}: column {} is of another kind", name.qualified(), column.name));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(object.rows[i][*at]);
  }
  return std::unique_ptr<StoredRows>(std::make_unique<Rows>(schema, std::move(rows)));
}

base::Result<std::optional<TableInfo>> MemoryServer::table(const TargetName& name) {
  DS_ASSIGN(auto object, transaction_.read(memory_table(name.qualified())));
  if (!object) return std::optional<TableInfo>{};
  return std::optional<TableInfo>(std::move(object->info));
}

base::Result<DestinationFacts> MemoryServer::facts(const TargetName& name) {
  DestinationFacts out;
  DS_ASSIGN(const auto object, transaction_.read(memory_table(name.qualified())));
  if (!object) return out;
  for (const auto& column : object->info.schema.columns)
    if (!column.nullable && !column.generated) out.required.push_back(column.name);
  out.created = std::to_string(object->altered);
  return out;
}

base::Result<std::optional<std::string>> MemoryServer::created(const TargetName& name) {
  DS_ASSIGN(const auto object, transaction_.read(memory_table(name.qualified())));
  return object ? std::optional(std::to_string(object->altered)) : std::nullopt;
}

base::Result<std::vector<std::optional<std::string>>> MemoryServer::altered_at(std::span<const TargetName> names) {
  std::vector<std::optional<std::string>> out;
  for (const auto& name : names) {
    DS_ASSIGN(auto at, created(name));
    out.push_back(std::move(at));
  }
  return out;
}

base::Result<std::vector<ListedTable>> MemoryServer::tables(const std::set<std::string>& databases) {
  DS_ASSIGN(const auto all, transaction_.all());
  std::vector<ListedTable> out;
  for (const auto& [name, object] : all) {
    const auto& schema = object->info.schema;
    if (!name.starts_with(memory_table("")) || !databases.contains(schema.database)) continue;
    auto& table = out.emplace_back(ListedTable{{schema.database, schema.table}, std::to_string(object->altered), {}});
    for (const auto& column : schema.columns) table.columns.push_back(column.name);
  }
  return out;
}

base::Result<void> MemoryServer::see(const TargetName& name, const std::vector<std::string>& columns) {
  DS_ASSIGN(const auto object, existing(name));
  for (const auto& column : columns)
    if (!memory_column(object.info, column))
      return base::Error(base::Reason::DestinationSchemaMismatch,
                         fmt::format("{} has no column {}", name.qualified(), column));
  return {};
}

base::Result<References> MemoryServer::references(const base::TableNames& names) {
  DS_ASSIGN(const auto all, transaction_.all());
  References out;
  out.complete = true;
  for (const auto& [name, object] : all) {
    const auto& schema = object->info.schema;
    for (const auto& key : object->info.foreign_keys)
      out.by_parent[names.key(key.parent_database, key.parent_table)].push_back(
          {schema.qualified(), key.name, names.key(schema.database, schema.table), key.parent_columns, key.acts()});
  }
  return out;
}

base::Result<std::vector<std::pair<std::string, std::string>>> MemoryServer::foreign_keys() {
  DS_ASSIGN(const auto all, transaction_.all());
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, object] : all)
    for (const auto& key : object->info.foreign_keys)
      out.emplace_back(object->info.schema.qualified(), key.parent_database + "." + key.parent_table);
  return out;
}

base::Result<bool> MemoryServer::is_empty(const TargetName& name) {
  DS_ASSIGN(const auto object, existing(name));
  return object.rows.empty();
}

base::Result<bool> MemoryServer::has_value(const TargetName& name, const std::string& column) {
  DS_TRY(see(name, {column}));
  DS_ASSIGN(const auto object, existing(name));
  const auto at = *memory_column(object.info, column);
  return std::ranges::any_of(object.rows, [&](const auto& row) { return row[at].has_value(); });
}

base::Result<bool> MemoryServer::has_own_value(const TargetName& name, const std::string& column,
                                               bool /*was_missing*/) {
  return has_value(name, column);
}

base::Result<void> MemoryServer::define(const std::string& statement) {
  const auto* definition = dialect_.find(statement);
  if (definition == nullptr) return base::Error(base::Reason::DestinationRefused, "an unknown statement");
  if (definition->table.empty()) return {};
  return transaction_.change(memory_table(definition->table),
                             [&](std::optional<MemoryObject>& object) -> base::Result<void> {
                               definition->action(object);
                               if (object) object->altered = database_->next_change();
                               return {};
                             });
}

base::Result<void> MemoryServer::preflight(const config::Apply& config) {
  DS_TRY(ledger_.create_ledger(config.ledger_database));
  return ledger_.create_known_tables(config.ledger_database);
}

}  // namespace datasync::apply
