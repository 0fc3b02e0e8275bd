#include "agents/apply/write/catalog.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/base/log.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

/// What the server changes by itself at every write would not be the source's.
base::Result<void> check_triggers(const DestinationFacts& facts, const TargetName& name, const Dialect& dialect) {
  if (facts.triggers.empty()) return {};
  return Error(Reason::DestinationSchemaMismatch,
               fmt::format("{} has triggers, which may change what is stored: {}. {} at the destination",
                           name.qualified(), fmt::join(facts.triggers, ", "), dialect.drop_triggers()));
}

bool key_updates_itself(const DestinationFacts& facts, const message::TableSchema& schema) {
  return std::ranges::any_of(schema.key, [&](auto index) {
    return std::ranges::any_of(facts.update_themselves, [&](const auto& column) {
      return base::same_column(column, schema.columns[index].name);
    });
  });
}

Error two_in_one(const std::string& other, const message::TableSchema& schema, const TargetName& name) {
  return {Reason::DestinationSchemaMismatch,
          fmt::format("{} and {} would both be stored in {}; give one of them another name by "
                      "destination.tables.rename",
                      other, schema.qualified(), name.qualified())};
}

std::uint16_t column_of(const message::TableSchema& schema, const message::Column* column) {
  return static_cast<std::uint16_t>(column - schema.columns.data());
}

std::vector<std::uint16_t> numbered_of(const DestinationFacts& facts, const message::TableSchema& schema) {
  std::vector<std::uint16_t> out;
  for (const auto& name : facts.numbered)
    if (const auto* column = find_column(schema.columns, name)) out.push_back(column_of(schema, column));
  return out;
}

}  // namespace

const TargetTable* Catalog::active(message::SchemaId id, TableIndex& index) const {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return nullptr;
  const auto& table = *tables_[at->second];
  const auto current = active_.find(table.plan.name);
  if (current == active_.end() || current->second != id) return nullptr;
  index = at->second;
  return &table;
}

base::Result<void> Catalog::activate(message::SchemaId id, std::stop_token stop, bool emptied) {
  if (const auto at = by_id_.find(id); at != by_id_.end()) {
    active_[tables_[at->second]->plan.name] = id;
    return {};
  }
  DS_ASSIGN(auto schema, book_.find(id, stop));
  DS_ASSIGN(auto table, load(std::move(schema), stop, emptied));
  active_[table->plan.name] = id;
  by_id_[id] = keep(std::move(table));
  refresh_copying();
  return {};
}

base::Result<void> Catalog::read_server(DestinationServer& connection) {
  if (!names_) {
    DS_ASSIGN(names_, connection.table_names());
  }
  if (references_read_) return {};
  DS_ASSIGN(references_, connection.references(*names_));
  references_read_ = true;
  return {};
}

/// Rows of two tables in one could not be told apart.
base::Result<void> Catalog::check_owner(const message::TableSchema& schema, const TargetName& name) const {
  const auto refused = [&](const std::string& other) { return two_in_one(other, schema, name); };
  if (names_->same(name.database, config_.ledger_database) &&
      (names_->same(name.table, "ledger") || names_->same(name.table, "tables") || names_->same(name.table, "held") ||
       names_->same(name.table, "instances")))
    return refused("the ledger of DataSync");
  const auto key = names_->key(name.database, name.table);
  for (const auto& [id, index] : by_id_) {
    const auto& other = *tables_[index];
    if (other.plan.name == key && other.schema->qualified() != schema.qualified())
      return refused(other.schema->qualified());
  }
  return {};
}

base::Result<std::unique_ptr<TargetTable>> Catalog::load(std::shared_ptr<const message::TableSchema> schema,
                                                         std::stop_token stop, bool emptied) {
  if (schema->key.empty())
    return Error(Reason::KeyMissing,
                 fmt::format("{} has neither a primary key nor declared key columns", schema->qualified()));
  DS_ASSIGN(const auto connection, connect_own());
  DS_TRY(read_server(*connection));
  auto name = target_name(config_, schema->database, schema->table);
  name = {names_->stored(name.database), names_->stored(name.table)};
  DS_TRY(check_owner(*schema, name));
  DS_TRY(book_.refresh(stop));
  altered_ = false;
  needs_copy_.reset();
  if (!emptied) DS_TRY(check_one_target(*schema, name));
  const auto* known = known_.find(name.qualified());
  DS_TRY(check_other_tasks(*connection, name, known));
  // Before anything here is changed: a stop in between must not leave a table that seems to have lost its rows.
  if (emptied) DS_TRY(note_to_be_emptied(*connection, name));
  Cause cause{known != nullptr && known->schema != schema->id(), emptied, nullptr, {}};
  if (cause.source_changed) {
    DS_ASSIGN(cause.before, book_.look(known->schema, stop));
  }
  // What is emptied anyway is not missed.
  const auto* expected = emptied ? nullptr : known;
  if (expected != nullptr && expected->has_rows)
    cause.unknown = unknown_columns(expected->definition, expected->columns);
  // Before the definition: what is altered in between is altered after the time that is stored with it.
  DS_ASSIGN(auto facts, connection->facts(name));
  DS_ASSIGN(auto info, find_or_make(*connection, *schema, name, expected));
  if (altered_) {
    DS_ASSIGN(facts, connection->facts(name));
  }
  // First: what it finds is noted, and only a copy resolves it.
  if (expected != nullptr && expected->source == schema->qualified())
    DS_TRY(check_columns(*connection, *expected,
                         stored_columns(info.schema.columns, facts.restricted, expected->columns)));
  if (!info.transactional)
    return Error(Reason::DestinationSchemaMismatch,
                 fmt::format("{} is kept by the engine {}, which has no transactions; {}", name.qualified(),
                             info.engine, dialect_.make_transactional(name)));
  if (expected != nullptr)
    DS_TRY(check_definition(*connection, *schema, cause.source_changed ? cause.before.get() : schema.get(), name,
                            *expected, info, facts));
  DS_TRY(check_triggers(facts, name, dialect_));
  DS_TRY(check_acting_keys(*connection, *schema, name, expected, info));
  DS_ASSIGN(auto fits, fit_or_alter(*connection, *schema, name, info, facts, cause, expected));
  auto out = std::make_unique<TargetTable>();
  std::string why;
  out->plan = plan_table(*schema, info, *names_, why);
  add_references(out->plan, *schema, why);
  out->names = {schema.get(),
                name.database,
                name.table,
                std::move(fits.written),
                schema->key,
                std::move(fits.there),
                key_updates_itself(facts, *schema),
                numbered_of(facts, *schema)};
  DS_TRY(connection->check_grants(out->names));
  out->info = std::move(info);
  out->created = facts.created;
  out->way_on_for_values = way_on_for_values(*schema, name, facts);
  out->schema = std::move(schema);
  if (emptied) DS_TRY(forget_other_targets(*connection, *out->schema, name));
  DS_TRY(store_known(*connection, *out, facts, emptied));
  const auto* stored = known_.find(name.qualified());
  for (const auto column : out->names.written) {
    const auto is_it = [&](const std::string& filled) {
      return base::same_column(filled, out->names.there[column].name);
    };
    if (std::ranges::none_of(stored->filled, is_it) &&
        std::ranges::find(out->names.key, column) == out->names.key.end())
      out->unfilled.push_back(column);
  }
  // Stored first, so that one of two streams that do so at once sees the other.
  DS_ASSIGN(const auto other, known_.other_source(*connection, name.qualified(), out->schema->qualified()));
  if (other) {
    if (known == nullptr) DS_TRY(known_.remove(*connection, name.qualified(), token_));
    return two_in_one(*other, *out->schema, name);
  }
  if (known == nullptr) {
    if (auto alone = check_other_tasks(*connection, name, known); !alone) {
      DS_TRY(known_.remove(*connection, name.qualified(), token_));
      return std::move(alone).error();
    }
  }
  if (const auto children = await_parent_.find(out->plan.name); children != await_parent_.end()) {
    for (const auto& child : children->second) forget_loaded(child);
    await_parent_.erase(children);
  }
  // Other definitions were loaded for the table as it was.
  if (altered_) forget_loaded(out->plan.name);
  base::log::info("writes a table", {{"table", name.qualified()},
                                     {"source", std::string_view(out->schema->qualified())},
                                     {"folds", why.empty()},
                                     {"why_not", std::string_view(why)}});
  return out;
}

/// What other tables point to this one, also those that no row came for yet.
void Catalog::add_references(PlanTable& plan, const message::TableSchema& schema, std::string& why) const {
  const auto refer = [&](std::string_view name) {
    const auto* column = find_column(schema.columns, name);
    if (column != nullptr) plan.referenced.push_back(column_of(schema, column));
  };
  if (const auto at = references_.by_parent.find(plan.name); at != references_.by_parent.end()) {
    for (const auto& reference : at->second) {
      for (const auto& column : reference.columns) refer(column);
      if (!reference.acts) continue;
      why =
          fmt::format("the foreign key {} of {} changes rows when this table changes", reference.name, reference.child);
      plan.ordered = true;
    }
  }
  if (references_.complete) return;
  // A foreign key that cannot be seen may point to any key and act by itself.
  plan.keep_deletes = true;
  for (const auto& key : plan.unique_keys)
    plan.referenced.insert(plan.referenced.end(), key.columns.begin(), key.columns.end());
}

bool Catalog::is_unsure(const TargetTable& table) const {
  return table.tolerant || config_.on_conflict == config::OnConflict::Overwrite;
}

void Catalog::set_snapshot(const SnapshotState& snapshot, const Awaited& awaited) {
  // A copy may have begun because the source's table changed in something that its schema does not say.
  for (const auto& source : snapshot.tables) {
    if (!names_ || snapshot_.tables.contains(source)) continue;
    const auto name = target_name(config_, source);
    forget_loaded(names_->key(name.database, name.table));
  }
  snapshot_ = snapshot;
  incomplete_ = snapshot.tables;
  for (const auto& [table, request] : awaited) incomplete_.insert(table);
  refresh_copying();
}

void Catalog::set_left_out(std::set<std::string> tables) {
  left_out_ = std::move(tables);
  refresh_copying();
}

/// What the snapshot means for each table, and for those that foreign keys connect it with.
void Catalog::refresh_copying() {
  ++generation_;
  if (!names_) return;  // no table yet
  copying_.clear();
  for (const auto* sources : {&incomplete_, &left_out_}) {
    for (const auto& source : *sources) {
      const auto name = target_name(config_, source);
      copying_.insert(names_->key(name.database, name.table));
    }
  }
  for (auto& table : tables_) {
    table->tolerant = snapshot_.tables.contains(table->schema->qualified());
    table->plan.unsure = is_unsure(*table);
    table->parents_incomplete = table->tolerant;
    for (const auto& parent : table->plan.parents)
      table->parents_incomplete = table->parents_incomplete || copying_.contains(parent);
    table->children_incomplete = table->tolerant;
    table->children_follow = false;
    const auto references = references_.by_parent.find(table->plan.name);
    if (references == references_.by_parent.end()) continue;
    for (const auto& reference : references->second) {
      table->children_follow = table->children_follow || reference.acts;
      table->children_incomplete = table->children_incomplete || copying_.contains(reference.child_key);
    }
  }
}

std::vector<PlanTable> Catalog::plan_tables() const {
  std::vector<PlanTable> out;
  out.reserve(tables_.size());
  for (const auto& table : tables_) out.push_back(table->plan);
  for (const auto& child : tables_) {
    for (const auto& key : child->info.foreign_keys) {
      const auto parent_name = names_->key(key.parent_database, key.parent_table);
      for (std::size_t i = 0; i < tables_.size(); ++i) {
        if (out[i].name != parent_name) continue;
        for (const auto& name : key.parent_columns) {
          const auto* column = find_column(tables_[i]->schema->columns, name);
          if (column != nullptr) out[i].referenced.push_back(column_of(*tables_[i]->schema, column));
        }
      }
    }
  }
  return out;
}

}  // namespace datasync::apply
