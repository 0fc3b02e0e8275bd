#include "agents/capture/stream/definitions.hpp"

#include <algorithm>
#include <utility>

#include "agents/base/identifier.hpp"
#include "agents/base/log.hpp"
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

}  // namespace

Definitions::Definitions(ServerTables& server, DefinitionStore store) : server_(server), store_(std::move(store)) {}

Definitions::Known& Definitions::known(const TableChoice& table) {
  auto& k = known_[&table];
  if (k.loaded) return k;
  // A copy may have learnt it on this connection, also since it was asked for last.
  k.since = store_.place();
  k.definition = store_.load(table, k.since);
  k.loaded = k.definition.has_value();
  if (k.definition && k.definition->complete) k.before = k.definition;
  if (k.definition) {
    k.moved = k.definition->moved;
    k.domains = k.definition->domains;
  }
  return k;
}

base::Result<void> Definitions::keep(const TableChoice& table, Known& known, message::Definition definition) {
  definition.database = table.database;
  definition.table = table.table;
  definition.position = known.since;
  definition.moved = known.moved;
  definition.domains = known.domains;
  if (!definition.acting_keys && definition.exists && known.definition)
    definition.acting_keys = known.definition->acting_keys;
  const bool same =
      known.definition && known.definition->exists == definition.exists &&
      known.definition->schema == definition.schema && known.definition->position == definition.position &&
      known.definition->complete == definition.complete && known.definition->acting_keys == definition.acting_keys &&
      known.definition->moved == definition.moved && known.definition->domains == definition.domains;
  known.definition = std::move(definition);
  known.loaded = true;
  return same ? base::Result<void>() : store_.save(*known.definition);
}

base::Result<void> Definitions::learn(const TableChoice& table, Known& known, message::TableSchema schema,
                                      bool complete, const source::TableInfo* server) {
  message::Definition d;
  d.schema = std::move(schema);
  d.complete = complete;
  if (server != nullptr) d.acting_keys = server->acting_keys;
  return keep(table, known, std::move(d));
}

base::Result<Definitions::Basis> Definitions::of(const TableChoice& table, const binlog::TableMap& map) {
  auto& k = known(table);
  k.merged.reset();
  if (k.definition && k.definition->exists && describes(k.definition->schema, map)) return Basis{&k.definition->schema};
  const auto server = server_.info(table);
  if (!server && server.error().outcome() == base::Outcome::Retry) return base::Error(server.error());
  const auto* now = server && *server ? &(*server)->schema : nullptr;
  if (now != nullptr && describes(*now, map)) {
    DS_TRY(learn(table, k, *now, true, &**server));
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

base::Result<bool> Definitions::met(const TableChoice& table, const binlog::TableMap& map,
                                    const message::TableSchema& carried) {
  auto& k = known(table);
  const auto before = std::exchange(k.before, std::nullopt);
  const bool other = before && !carries(*before, table, carried, map);
  const bool agrees = k.definition && carries(*k.definition, table, carried, map);
  if (agrees && k.definition->complete) return other;
  if (agrees) {
    DS_TRY(learn(table, k, k.definition->schema, true, nullptr));
    return other;
  }
  const auto server = server_.info(table);
  if (!server && server.error().outcome() == base::Outcome::Retry) return base::Error(server.error());
  message::Definition now;
  if (server && *server) now.schema = (*server)->schema;
  k.since = store_.place();
  if (carries(now, table, carried, map)) {
    DS_TRY(learn(table, k, std::move(now.schema), true, &**server));
  } else if (k.definition && k.definition->complete) {
    // The server has another one by now, and what is kept is not of this place.
    auto kept = *k.definition;
    kept.complete = false;
    DS_TRY(keep(table, k, std::move(kept)));
  }
  return other;
}

base::Result<Definitions::Reading> Definitions::read_again(const TableChoice& table, const DefinitionChange& change) {
  auto& k = known(table);
  k.merged.reset();
  k.before.reset();
  Reading out;
  DS_ASSIGN(out.facts, server_.facts(table));
  // After the definition: what was executed until it was read is all in here.
  DS_ASSIGN(out.executed, server_.executed());
  k.since = store_.place();
  k.since.add(change.gtid);
  out.of_this_place = k.since.contains(out.executed);
  k.moved = change.replaced ? std::vector<message::MovedColumn>() : moved_by(table, k.moved, change.names);
  k.server_keys.reset();
  k.replaced = k.replaced || change.all;
  std::ranges::copy(change.columns, std::back_inserter(k.touched));
  const auto keys = k.definition ? k.definition->acting_keys : std::nullopt;
  out.acting_keys_changed = keys && out.facts.info && *keys != out.facts.info->acting_keys;
  message::TableSchema schema;
  if (out.of_this_place && out.facts.info) {
    schema = out.facts.info->schema;
  } else if (!change.all && k.definition && k.definition->exists) {
    schema = k.definition->schema;
    forget(schema, change.columns);
  }
  DS_TRY(learn(table, k, std::move(schema), out.of_this_place && out.facts.info.has_value(),
               out.facts.info ? &*out.facts.info : nullptr));
  return out;
}

base::Result<void> Definitions::acting_keys(const TableChoice& table, std::vector<message::ActingKey> keys) {
  auto& k = known(table);
  // Without a definition the first copy or row brings both.
  if (!k.definition || !k.definition->exists || k.definition->acting_keys == keys) return {};
  auto kept = *k.definition;
  kept.acting_keys = std::move(keys);
  return keep(table, k, std::move(kept));
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
  return keep(table, k, k.definition.value_or(message::Definition()));
}

base::Result<void> Definitions::forget_domains(const TableChoice& table, const std::vector<std::uint32_t>& domains) {
  auto& k = known(table);
  const auto gone =
      std::erase_if(k.domains, [&](auto domain) { return std::ranges::find(domains, domain) != domains.end(); });
  return gone == 0 ? base::Result<void>() : keep(table, k, k.definition.value_or(message::Definition()));
}

base::Result<void> Definitions::set_gone(const TableChoice& table, const message::Gtid& gtid) {
  auto& k = known(table);
  k.before.reset();
  k.since = store_.place();
  k.since.add(gtid);
  message::Definition d;
  d.exists = false;
  d.complete = true;
  return keep(table, k, std::move(d));
}

bool Definitions::gone(const TableChoice& table) {
  const auto& k = known(table);
  return k.definition && !k.definition->exists;
}

bool Definitions::is(const TableChoice& table, const message::TableSchema& schema) {
  const auto& k = known(table);
  return k.definition && k.definition->exists && k.definition->schema == schema;
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
