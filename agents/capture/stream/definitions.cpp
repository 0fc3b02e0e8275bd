#include "agents/capture/stream/definitions.hpp"

#include <algorithm>
#include <utility>

#include "agents/base/identifier.hpp"
#include "agents/base/log.hpp"
#include "agents/capture/plan/captured_schema.hpp"
#include "agents/capture/stream/definition_match.hpp"

namespace datasync::capture {
namespace {

/// Takes out what a statement may have changed.
void forget(message::TableSchema& schema, const std::vector<std::string>& columns) {
  const auto changed = std::erase_if(schema.columns, [&](const auto& c) {
    return std::ranges::any_of(columns, [&](const auto& name) { return base::same_column(name, c.name); });
  });
  if (changed != 0) schema.key.clear();
}

/// They say the same, whatever their places are.
bool same(const message::Definition& a, const message::Definition& b) {
  return a.exists == b.exists && a.schema.columns == b.schema.columns && a.schema.key == b.schema.key &&
         a.complete == b.complete && a.acting_keys == b.acting_keys && a.moved == b.moved && a.domains == b.domains;
}

void announce(Announced& announced, const DefinitionChange& change) {
  std::ranges::copy(change.columns, std::back_inserter(announced.columns));
  std::ranges::copy(change.added, std::back_inserter(announced.columns));
  announced.key = announced.key || change.key;
}

}  // namespace

Definitions::Definitions(ServerTables& server, DefinitionStore store) : server_(server), store_(std::move(store)) {}

Definitions::Known& Definitions::known(const TableChoice& table) {
  auto& k = known_[&table];
  // A copy may have learnt it on this connection, also since the store was asked last.
  const auto saved = store_.saved();
  if (k.saved == saved) return k;
  k.saved = saved;
  load(table, k);
  return k;
}

void Definitions::load(const TableChoice& table, Known& known) {
  auto& mine = known.definition;
  auto found = known.kept ? store_.load(table, store_.place()) : std::nullopt;
  if (!found) return;
  hide_excluded(table, found->schema);  // versions before kept them
  if (was_excluded(table, found->schema)) found->complete = false;
  // What the open transaction changed is of a later place than what is found.
  if (mine && (!found->position.contains(mine->position) || same(*mine, *found))) return;
  known.moved = found->moved;
  known.domains = found->domains;
  known.expected = found->complete ? std::optional(Expected{*found, {}}) : std::nullopt;
  known.definition = std::move(found);
  known.kept = true;
}

void Definitions::know(const TableChoice& table, Known& known, message::Definition definition) {
  definition.database = table.database;
  definition.table = table.table;
  hide_excluded(table, definition.schema);
  // A record of an earlier place would be hidden by one that a copy saved meanwhile.
  known.since.unite(store_.place());
  definition.position = known.since;
  definition.moved = known.moved;
  definition.domains = known.domains;
  if (!definition.acting_keys && definition.exists && known.definition)
    definition.acting_keys = known.definition->acting_keys;
  if (known.definition && same(*known.definition, definition)) return;
  known.definition = std::move(definition);
  known.kept = false;
}

base::Result<void> Definitions::keep(Known& known) {
  if (known.kept || !known.definition) return {};
  DS_TRY(store_.save(*known.definition));
  known.kept = true;
  return {};
}

void Definitions::learn(const TableChoice& table, Known& known, message::TableSchema schema, bool complete,
                        const source::TableInfo* server) {
  message::Definition d;
  d.schema = std::move(schema);
  d.complete = complete;
  if (server != nullptr) d.acting_keys = server->acting_keys;
  know(table, known, std::move(d));
}

base::Result<void> Definitions::settle_key(const TableChoice& table, binlog::TableMap& map) {
  if (table.key_columns.empty() || map.primary_key.empty()) return {};
  const auto server = server_.info(table);
  if (!server && server.error().outcome() == base::Outcome::Retry) return base::Error(server.error());
  if (promoted_key(table, map, whole(table), server && *server ? &(*server)->schema : nullptr)) map.primary_key.clear();
  return {};
}

base::Result<Definitions::Basis> Definitions::of(const TableChoice& table, const binlog::TableMap& map) {
  auto& k = known(table);
  k.merged.reset();
  if (k.definition && k.definition->exists && describes(k.definition->schema, table, map))
    return Basis{&k.definition->schema};
  const auto server = server_.info(table);
  if (!server && server.error().outcome() == base::Outcome::Retry) return base::Error(server.error());
  const auto* now = server && *server ? &(*server)->schema : nullptr;
  if (now != nullptr && describes(*now, table, map)) {
    learn(table, k, *now, true, &**server);
    return Basis{&k.definition->schema};
  }
  // The server's table has changed since, or has disappeared: only what was learnt before, and what readers were given,
  // is about the table of this place.
  std::vector<std::string> names;
  for (const auto& wire : map.columns) names.push_back(wire.name);
  auto given = k.replaced ? std::nullopt : store_.published(table, names);
  if (given) forget(*given, k.touched);
  k.merged = merge_definitions(map, k.definition && k.definition->exists ? &k.definition->schema : nullptr,
                               given ? &*given : nullptr);
  Basis out{&*k.merged};
  const auto* then = k.definition && k.definition->exists ? &k.definition->schema : nullptr;
  for (const auto& wire : map.columns) {
    const bool known = (then != nullptr && find_column(*then, wire.name) != nullptr) ||
                       (now != nullptr && find_column(*now, wire.name) != nullptr);
    if (!known && !binlog::named_as_hidden(wire) && !table.excludes(wire.name)) out.unknown = wire.name;
  }
  const bool known_key = then != nullptr && !then->key.empty() && same_key(*then, map);
  out.other_key = now != nullptr && !known_key && !same_key(*now, map);
  return out;
}

base::Result<bool> Definitions::met(const TableChoice& table, bool keyless, const message::TableSchema& carried,
                                    bool unannounced) {
  auto& k = known(table);
  const auto expected = std::exchange(k.expected, std::nullopt);
  const bool other = expected && !carries(expected->definition, table, carried, keyless, expected->announced);
  DS_TRY(agree(table, k, keyless, carried));
  if (k.definition && k.definition->complete) k.expected = Expected{*k.definition, {}};
  if (!other && !unannounced) DS_TRY(keep(k));
  return other;
}

/// What is known agrees with the map from here on, or does not count as complete.
base::Result<void> Definitions::agree(const TableChoice& table, Known& known, bool keyless,
                                      const message::TableSchema& carried) {
  if (known.definition && carries(*known.definition, table, carried, keyless)) {
    if (!known.definition->complete) learn(table, known, known.definition->schema, true, nullptr);
    return {};
  }
  const auto server = server_.info(table);
  if (!server && server.error().outcome() == base::Outcome::Retry) return base::Error(server.error());
  message::Definition now;
  if (server && *server) now.schema = (*server)->schema;
  if (carries(now, table, carried, keyless)) {
    learn(table, known, std::move(now.schema), true, &**server);
  } else if (known.definition && known.definition->complete) {
    // The server has another one by now, and what is kept is not of this place.
    auto kept = *known.definition;
    kept.complete = false;
    know(table, known, std::move(kept));
  }
  return {};
}

bool Definitions::explained(const TableChoice& table, const message::TableSchema& carried) {
  const auto& k = known(table);
  return !k.expected || carries(k.expected->definition, table, carried, true, k.expected->announced);
}

base::Result<void> Definitions::noted(const TableChoice& table) {
  return keep(known(table));
}

base::Result<Definitions::Reading> Definitions::read_again(const TableChoice& table, const DefinitionChange& change) {
  auto& k = known(table);
  k.merged.reset();
  Reading out;
  DS_ASSIGN(out.facts, server_.facts(table));
  // After the definition: what was executed until it was read is all in here.
  DS_ASSIGN(out.executed, server_.executed());
  k.since = store_.place();
  k.since.add(change.gtid);
  out.of_this_place = k.since.contains(out.executed);
  if (change.all || change.others) k.expected.reset();
  if (k.expected) announce(k.expected->announced, change);
  if (change.replaced) k.moved.clear();
  std::ranges::copy(change.taken, std::back_inserter(k.moved));
  k.moved = moved_by(table, k.moved, change.names);
  k.server_keys.reset();
  k.replaced = k.replaced || change.all;
  std::ranges::copy(change.columns, std::back_inserter(k.touched));
  const auto keys = k.definition ? k.definition->acting_keys : std::nullopt;
  out.acting_keys_changed = keys && out.facts.info && *keys != out.facts.info->acting_keys;
  message::TableSchema schema;
  if (out.of_this_place && out.facts.info) {
    schema = out.facts.info->schema;
    const auto carried = captured_schema(table, schema, out.facts.info->unread_columns);
    out.unannounced = k.expected && carried &&
                      !carries(k.expected->definition, table, *carried, schema.key.empty(), k.expected->announced);
  } else if (!change.all && k.definition && k.definition->exists) {
    schema = k.definition->schema;
    forget(schema, change.columns);
  }
  learn(table, k, std::move(schema), out.of_this_place && out.facts.info.has_value(),
        out.facts.info ? &*out.facts.info : nullptr);
  if (k.definition->complete) k.expected = Expected{*k.definition, {}};
  if (out.of_this_place && !out.facts.info) k.expected.reset();
  // Its place is the one after this statement: what comes before is handled again after an error.
  DS_TRY(keep(k));
  return out;
}

base::Result<void> Definitions::acting_keys(const TableChoice& table, std::vector<message::ActingKey> keys) {
  auto& k = known(table);
  // Without a definition the first copy or row brings both.
  if (!k.definition || !k.definition->exists || k.definition->acting_keys == keys) return {};
  auto kept = *k.definition;
  kept.acting_keys = std::move(keys);
  know(table, k, std::move(kept));
  return keep(k);
}

bool Definitions::knows_other_acting_keys(const TableChoice& table, const std::vector<message::ActingKey>& keys) {
  const auto& k = known(table);
  return k.definition && k.definition->exists && k.definition->acting_keys && *k.definition->acting_keys != keys;
}

base::Result<std::vector<message::ActingKey>> Definitions::acting_keys(const TableChoice& table) {
  auto& k = known(table);
  if (k.definition && k.definition->acting_keys) return *k.definition->acting_keys;
  if (!k.server_keys) {
    const auto server = server_.info(table);
    if (!server && server.error().outcome() == base::Outcome::Retry) return base::Error(server.error());
    k.server_keys = server && *server ? (*server)->acting_keys : std::vector<message::ActingKey>();
  }
  return *k.server_keys;
}

const message::TableSchema* Definitions::whole(const TableChoice& table) {
  const auto& k = known(table);
  return k.definition && k.definition->exists && k.definition->complete ? &k.definition->schema : nullptr;
}

base::Result<void> Definitions::wrote(const TableChoice& table, std::uint32_t domain) {
  auto& k = known(table);
  if (std::ranges::find(k.domains, domain) != k.domains.end()) return {};
  k.domains.push_back(domain);
  know(table, k, k.definition.value_or(message::Definition()));
  return keep(k);
}

base::Result<void> Definitions::forget_domains(const TableChoice& table, const std::vector<std::uint32_t>& domains) {
  auto& k = known(table);
  const auto gone =
      std::erase_if(k.domains, [&](auto domain) { return std::ranges::find(domains, domain) != domains.end(); });
  if (gone == 0) return {};
  know(table, k, k.definition.value_or(message::Definition()));
  return keep(k);
}

base::Result<void> Definitions::set_gone(const TableChoice& table, const message::Gtid& gtid, bool proved) {
  auto& k = known(table);
  k.since = store_.place();
  k.since.add(gtid);
  message::Definition d;
  d.exists = false;
  d.complete = true;
  know(table, k, std::move(d));
  k.expected = proved ? std::optional(Expected{*k.definition, {}}) : std::nullopt;
  return keep(k);
}

bool Definitions::gone(const TableChoice& table) {
  const auto& k = known(table);
  return k.definition && !k.definition->exists;
}

bool Definitions::is(const TableChoice& table, const message::TableSchema& schema) {
  const auto& k = known(table);
  if (!k.definition || !k.definition->exists) return false;
  auto shown = schema;
  hide_excluded(table, shown);
  return k.definition->schema == shown;
}

bool Definitions::published(const TableChoice& table, const message::TableSchema& schema) {
  const auto& k = known(table);
  if (k.replaced || !k.touched.empty()) return false;
  std::vector<std::string> names;
  for (const auto& column : schema.columns) names.push_back(column.name);
  const auto given = store_.published(table, names);
  return given && given->id() == schema.id();
}

}  // namespace datasync::capture
