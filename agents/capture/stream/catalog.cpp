#include "agents/capture/stream/catalog.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/identifier.hpp"
#include "agents/capture/plan/captured_schema.hpp"
#include "agents/capture/plan/exclusions.hpp"
#include "agents/message/row.hpp"

namespace datasync::capture {
namespace {

base::Result<void> findings(const TableFacts& facts) {
  // A table that disappeared later is no fault of this place: the statement that dropped it comes.
  return facts.exists ? verdict(facts.choice->qualified(), facts.findings) : base::Result<void>();
}

}  // namespace

using base::Error;
using base::Reason;

Catalog::Catalog(const Selection& selection, const source::Rules& rules, Connect connect, Publish publish,
                 DefinitionStore store)
    : selection_(selection),
      allows_cascades_(rules.allow_cascades),
      server_(std::move(connect), rules, selection),
      others_(selection, store),
      definitions_(server_, std::move(store)),
      publish_(std::move(publish)) {}

base::Result<message::SchemaId> Catalog::known_to_readers(message::TableSchema schema) {
  const auto id = schema.id();
  if (schemas_.contains(id)) return id;
  DS_TRY(publish_(schema));
  schemas_.try_emplace(id, std::move(schema));
  return id;
}

base::Result<binlog::RowEncoder> Catalog::encoder(const TableChoice& choice, const binlog::TableMap& map,
                                                  const std::vector<binlog::Refinement>& refinements) {
  binlog::SchemaOptions options;
  options.refinements = refinements;
  options.collation_of = [this](std::uint32_t id) { return server_.collation(id); };
  options.to_utf8 = [this](std::string_view charset, std::string_view text) { return server_.to_utf8(charset, text); };
  options.excluded = choice.exclude;
  options.declared_key = choice.key_columns;
  auto made = binlog::RowEncoder::make(map, options);
  if (auto trouble = server_.trouble(); !made && trouble) return std::move(*trouble);
  if (!made) return made;
  if (const auto& missing = made->layout().missing_exclusions; !missing.empty())
    return exclusion_missing(choice, missing);
  return made;
}

/// No column that is carried has the values of an excluded one.
template <class Columns>
base::Result<void> Catalog::nothing_shown(const TableChoice& choice, const Columns& columns) {
  for (const auto& column : columns)
    if (const auto* moved = shown_by_name(choice, definitions_.moved(choice), column.name))
      return exclusion_moved(choice, moved->was, moved->is);
  return {};
}

base::Result<Catalog::Added> Catalog::add(const TableChoice& choice, binlog::TableMap map) {
  map.id = {};
  // Messages carry the name that the resource writes: a server may write it in lower case.
  map.database = choice.database;
  map.table = choice.table;
  Added out;
  auto wire_key = map.primary_key;
  const auto newest = newest_.find(&choice);
  auto* before = newest != newest_.end() && newest->second.settled ? &tables_[newest->second.number] : nullptr;
  if (before != nullptr && before->wire_key == wire_key) {
    map.primary_key = before->map.primary_key;
    if (before->map == map) return Added{newest->second.number};
    map.primary_key = wire_key;
  }
  DS_TRY(definitions_.settle_key(choice, map));
  if (before != nullptr && before->map == map) {
    before->wire_key = std::move(wire_key);
    return Added{newest->second.number};
  }
  out.unannounced = before != nullptr;
  DS_TRY(nothing_shown(choice, map.columns));
  DS_ASSIGN(const auto basis, definitions_.of(choice, map));
  if (basis.other_key)
    return Error(
        Reason::SchemaUnknown,
        fmt::format("{} has another primary key at this place of the binlog than it has now", map.qualified()));
  if (!choice.exclude.empty() && !basis.unknown.empty())
    return Error(Reason::PreflightFailed,
                 fmt::format("column {} of {} is not known: it may be computed from an excluded column", basis.unknown,
                             map.qualified()));
  auto refinements = refine(map, basis.schema);
  const auto same = std::ranges::find_if(
      tables_, [&](const auto& t) { return t.choice == &choice && t.map == map && t.refinements == refinements; });
  out.number = static_cast<std::uint32_t>(same - tables_.begin());
  if (same == tables_.end()) {
    DS_TRY(server_.read_collations());
    DS_ASSIGN(auto made, encoder(choice, map, refinements));
    DS_ASSIGN(const auto id, known_to_readers(made.schema()));
    tables_.push_back({&choice, id, std::move(made), std::move(map), std::move(refinements), {}, {}});
  }
  auto& table = tables_[out.number];
  table.wire_key = std::move(wire_key);
  DS_ASSIGN(const bool other,
            definitions_.met(choice, table.map.primary_key.empty(), table.encoder.schema(), out.unannounced));
  out.unannounced = out.unannounced || other;
  newest_[&choice] = {out.number, true};
  return out;
}

base::Result<Catalog::Now> Catalog::now(const TableChoice& choice, const binlog::TableMap& map) {
  DS_ASSIGN(const auto facts, server_.facts(choice));
  DS_TRY(findings(facts));
  if (!facts.info) return Now::Missing;
  auto settled = map;
  DS_TRY(definitions_.settle_key(choice, settled));
  return describes(facts.info->schema, choice, settled) ? Now::Same : Now::Other;
}

base::Result<Catalog::Changed> Catalog::changed(const TableChoice& choice, const DefinitionChange& change) {
  if (const auto newest = newest_.find(&choice); newest != newest_.end()) newest->second.settled = false;
  DS_ASSIGN(const auto reading, definitions_.read_again(choice, change));
  DS_TRY(findings(reading.facts));
  Changed out{reading.facts.info.has_value(), std::nullopt,        reading.of_this_place,       reading.executed,
              reading.acting_keys_changed,    reading.unannounced, reading.facts.computes_again};
  if (!reading.facts.info) return out;
  DS_ASSIGN(auto schema, captured_schema(choice, reading.facts.info->schema, reading.facts.info->unread_columns));
  DS_TRY(nothing_shown(choice, schema.columns));
  if (const auto newest = newest_.find(&choice);
      newest == newest_.end() || tables_[newest->second.number].schema != schema.id()) {
    DS_ASSIGN(out.schema, known_to_readers(std::move(schema)));
  }
  return out;
}

base::Result<Catalog::Changed> Catalog::as_of_now(const TableChoice& choice) {
  Changed out;
  DS_ASSIGN(const auto facts, server_.facts(choice));
  DS_ASSIGN(out.executed, server_.executed());
  if (!facts.info || !findings(facts)) return out;
  auto schema = captured_schema(choice, facts.info->schema, facts.info->unread_columns);
  if (!schema) return out;
  DS_ASSIGN(out.schema, known_to_readers(std::move(*schema)));
  return out;
}

bool Catalog::explained(const TableChoice& choice, message::SchemaId schema) {
  const auto at = schemas_.find(schema);
  return at == schemas_.end() || definitions_.explained(choice, at->second);
}

base::Result<void> Catalog::begun(const std::vector<TableFacts>& tables, std::vector<std::uint32_t> replicated,
                                  const std::function<base::Result<void>(const TableChoice&)>& changed) {
  replicated_ = std::move(replicated);
  for (const auto& facts : tables) {
    if (!facts.info || facts.choice == nullptr) continue;
    // The connection has choices of its own.
    const auto* choice = selection_.find(facts.choice->database, facts.choice->table);
    if (choice == nullptr) continue;
    auto keys = facts.info->acting_keys;
    // The statement that changed them may be one that the dump is still to read, and would then find no difference.
    if (definitions_.knows_other_acting_keys(*choice, keys)) DS_TRY(changed(*choice));
    DS_TRY(definitions_.acting_keys(*choice, std::move(keys)));
  }
  return {};
}

base::Result<void> Catalog::wrote(std::uint32_t number, std::uint32_t domain) {
  auto& table = tables_[number];
  table.domains.push_back(domain);
  // What the server has replicated is the source's, and so is everything of a server that has never been a replica.
  if (replicated_.empty() || std::ranges::find(replicated_, domain) != replicated_.end()) return {};
  return definitions_.wrote(*table.choice, domain);
}

bool Catalog::has_rows_of(const TableChoice& choice, const std::vector<std::uint32_t>& domains) {
  return std::ranges::any_of(definitions_.domains(choice),
                             [&](auto domain) { return std::ranges::find(domains, domain) != domains.end(); });
}

base::Result<std::vector<const TableChoice*>> Catalog::acting_children(const std::vector<binlog::NamedTable>& parents,
                                                                       std::optional<message::Op> op) {
  std::vector<const TableChoice*> out;
  if (!allows_cascades_ || parents.empty()) return out;
  const auto& names = selection_.names();
  for (const auto& child : selection_.tables()) {
    DS_ASSIGN(const auto keys, definitions_.acting_keys(child));
    const bool refers = std::ranges::any_of(keys, [&](const message::ActingKey& key) {
      if (op && !message::acts(*op == message::Op::Delete ? key.on_delete : key.on_update)) return false;
      return std::ranges::any_of(parents, [&](const binlog::NamedTable& parent) {
        return names.same(parent.database, key.parent_database) &&
               (parent.table.empty() || names.same(parent.table, key.parent_table));
      });
    });
    if (refers) out.push_back(&child);
  }
  return out;
}

base::Result<void> Catalog::set_gone(const TableChoice& choice, const message::Gtid& gtid, bool proved) {
  if (const auto newest = newest_.find(&choice); newest != newest_.end()) newest->second.settled = false;
  return definitions_.set_gone(choice, gtid, proved);
}

base::Result<bool> Catalog::is_known(const TableChoice& choice) {
  if (definitions_.gone(choice)) return false;
  const auto server = server_.info(choice);
  if (!server && server.error().outcome() == base::Outcome::Retry) return Error(server.error());
  if (!server || !*server) return false;
  if (definitions_.is(choice, (*server)->schema)) return true;
  const auto carried = captured_schema(choice, (*server)->schema, (*server)->unread_columns);
  if (!carried) return false;
  const auto newest = newest_.find(&choice);
  return newest != newest_.end() ? tables_[newest->second.number].schema == carried->id()
                                 : definitions_.published(choice, *carried);
}

base::Result<bool> Catalog::exists(const TableChoice& choice) {
  DS_ASSIGN(const auto facts, server_.facts(choice));
  return facts.exists;
}

base::Result<std::optional<message::SchemaId>> Catalog::schema_of(const TableChoice& choice) {
  if (const auto newest = newest_.find(&choice); newest != newest_.end())
    return std::optional(tables_[newest->second.number].schema);
  DS_ASSIGN(const auto server, server_.info(choice));
  if (server) {
    DS_ASSIGN(auto schema, captured_schema(choice, server->schema, server->unread_columns));
    DS_ASSIGN(const auto id, known_to_readers(std::move(schema)));
    return std::optional(id);
  }
  // It was dropped or renamed since.
  const auto* then = definitions_.whole(choice);
  auto schema =
      then == nullptr ? base::Result<message::TableSchema>(message::TableSchema()) : captured_schema(choice, *then);
  if (then == nullptr || !schema) return std::optional<message::SchemaId>();
  DS_ASSIGN(const auto id, known_to_readers(std::move(*schema)));
  return std::optional(id);
}

bool Catalog::may_be_key(const TableChoice& choice, std::string_view column) {
  const auto in_key = [&](const message::TableSchema& schema) {
    return std::ranges::any_of(schema.key,
                               [&](auto index) { return base::same_column(schema.columns[index].name, column); });
  };
  if (const auto newest = newest_.find(&choice); newest != newest_.end())
    return in_key(tables_[newest->second.number].encoder.schema());
  const auto server = server_.info(choice);
  if (!server || !*server) return true;
  const auto schema = captured_schema(choice, (*server)->schema, (*server)->unread_columns);
  const auto named = [&](const message::Column& c) { return base::same_column(c.name, column); };
  // The server has the names of now: under its old name a column is not found.
  return !schema || std::ranges::none_of(schema->columns, named) || in_key(*schema);
}

const message::TableSchema* Catalog::known(message::SchemaId schema) const {
  const auto at = schemas_.find(schema);
  return at == schemas_.end() ? nullptr : &at->second;
}

}  // namespace datasync::capture
