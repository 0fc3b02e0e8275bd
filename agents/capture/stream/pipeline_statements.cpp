// What the dump thread does about statements and definitions. Definitions decide, not words: the table's definition is
// read again, checked as before the start, and compared; rows that may have changed without row events are copied
// again.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/log.hpp"
#include "agents/capture/plan/statement_effects.hpp"
#include "agents/capture/stream/pipeline.hpp"

namespace datasync::capture {
namespace {

using base::Error;
using base::Reason;

constexpr std::size_t kMostStatement = 1024;
/// A table that is dropped or renamed away may be on its way back: tools for online schema changes that use two
/// statements leave the name without a table for a moment.
constexpr base::Millis kBackSoon{3000}, kStep{50};

/// For logs, errors and records: without values, which may be of columns that nobody is to see.
std::string shown(const source::Statement& query) {
  const auto& context = query.context;
  // Where its strings end is not certain without the session's settings.
  if (!context.quoting_known || context.charset.empty()) return binlog::first_words(query.sql);
  return binlog::without_values(query.sql, context.quoting, context.charset, &context.to_utf8, kMostStatement);
}

bool about_definition(const Error& error) {
  constexpr Reason kAbout[] = {Reason::KeyMissing, Reason::UnsupportedType, Reason::SchemaUnknown,
                               Reason::PreflightFailed};
  return std::ranges::find(kAbout, error.reason) != std::end(kAbout);
}

}  // namespace

base::Result<source::TableToken> Pipeline::on_table(const binlog::TableMap& map, const binlog::Where& where) {
  const auto* choice = parts_.selection.find(map.database, map.table);
  if (choice == nullptr) return source::kUnwanted;
  const bool wanted = parts_.writer.wants(choice->stream);
  const auto place = fmt::format("transaction {} at {}", gtid_.text(), where.text());
  auto added = catalog_.add(*choice, map);
  if (!added) {
    if (!about_definition(added.error())) return Error(std::move(added).error());
    // Rows that cannot be carried, of a definition that the table no longer has: a copy of what it is now makes up for
    // them. While it is as it was, this is what is wrong.
    const auto why = fmt::format("{}; {}", added.error().what, place);
    DS_ASSIGN(auto now, catalog_.now(*choice, map));
    if (now == Catalog::Now::Missing) {
      DS_ASSIGN(const bool missing, stays_missing(*choice, why));
      if (missing) return source::kUnwanted;
      DS_ASSIGN(now, catalog_.now(*choice, map));
    }
    if (now == Catalog::Now::Other) {
      if (wanted) DS_TRY(outdated(*choice, true, why));
      return source::kUnwanted;
    }
    // While the server replaces a table, none has its name for a moment: it may have been asked just then.
    added = catalog_.add(*choice, map);
    if (!added) return Error(std::move(added).error().context(place));
  }
  if (added->unannounced) {
    DS_TRY(catalog_.now(*choice, map));
    if (wanted)
      DS_TRY(outdated(*choice, true,
                      fmt::format("its definition changed without a statement in the binlog, before {}", place)));
    DS_TRY(catalog_.noted(*choice));
  }
  return added->number;
}

/// Rows that cannot be carried, of a table that the server does not have any more: the statement that took it away
/// comes later in the binlog, and the other tables do not wait here for ever. What gets the name after that is copied;
/// no statement may bring it.
base::Result<bool> Pipeline::stays_missing(const TableChoice& table, const std::string& why) {
  if (missing_.contains(&table)) return true;
  // While the server replaces a table, none has its name for a moment.
  back_soon_ = base::steady_now() + kBackSoon;
  DS_ASSIGN(const bool back, comes_back(table));
  if (back) return false;
  base::log::warn("rows of a table are left out: the server does not have it any more",
                  {{"table", table.qualified()}, {"why", why}});
  missing_.insert(&table);
  if (parts_.writer.wants(table.stream)) DS_TRY(outdated(table, true, why));
  return true;
}

base::Result<void> Pipeline::on_statement(const source::Statement& query) {
  if (before_start_) return {};
  if (passing_) return passed(query);
  const auto& judged = query.judgement;
  if (judged.control == binlog::Control::RollbackTo) {
    // Logged only when a table without transactions was changed too. Which rows are void, the binlog shows only by the
    // savepoint's place; they may be on the stream already.
    if (rows_in_transaction_ == 0) return {};
    return Error(
        Reason::UnsupportedEvent,
        fmt::format("transaction {} at {} rolls back to a savepoint after changing a captured table and a table "
                    "without transactions",
                    gtid_.text(), query.where.text()));
  }
  if (judged.harmless()) return {};
  back_soon_ = base::steady_now() + kBackSoon;
  DS_TRY(take_moves(query));
  const auto statements = concerned_by(query);
  auto parents = parents_concerned(judged, [this](const binlog::NamedTable& name) {
    const auto* table = parts_.selection.find(name.database, name.table);
    return table != nullptr && catalog_.gone(*table);
  });
  if (!judged.certain)
    for (const auto& s : statements) parents.push_back({s.table->database, s.table->table});
  for (const auto& statement : statements) DS_TRY(on_effect(statement, query));
  return on_parents(parents, statements, query);
}

/// The server takes a foreign key along when the table that it refers to is renamed, and keeps it when that is dropped
/// and created again. So a table's foreign keys may change by a statement that does not name it.
base::Result<void> Pipeline::on_parents(const std::vector<binlog::NamedTable>& parents,
                                        const std::vector<TableStatement>& statements, const source::Statement& query) {
  DS_ASSIGN(const auto children, catalog_.acting_children(parents));
  for (const auto* child : children) {
    if (std::ranges::find(statements, child, &TableStatement::table) != statements.end()) continue;
    DS_ASSIGN(const auto changed, catalog_.changed(*child, {{}, false, gtid_, {}}));
    // The statement that takes it away comes later.
    if (changed.exists && parts_.writer.wants(child->stream)) DS_TRY(outdated(*child, true, shown(query)));
  }
  return {};
}

std::vector<TableStatement> Pipeline::concerned_by(const source::Statement& query) const {
  const auto& judged = query.judgement;
  std::vector<const TableChoice*> uncertain;
  if (!judged.certain) {
    std::vector<binlog::NamedTable> names;
    for (const auto& t : parts_.selection.tables()) {
      names.push_back({t.database, t.table});
      if (judged.any_table) uncertain.push_back(&t);
    }
    if (!judged.any_table)
      for (const auto i : binlog::may_concern(query.sql, query.context, names))
        uncertain.push_back(&parts_.selection.tables()[i]);
  }
  return concerned(judged, parts_.selection, uncertain);
}

base::Result<void> Pipeline::on_effect(const TableStatement& s, const source::Statement& query) {
  const auto& table = *s.table;
  if (s.by_text)
    return Error(Reason::StatementFormat,
                 fmt::format("{} may be changed by a statement without row events, transaction {} at {}: {}",
                             table.qualified(), gtid_.text(), query.where.text(), shown(query)));
  // Nobody waits for the definition of a table that is on the stream already; what is learnt is kept all the same.
  const bool wanted = parts_.writer.wants(table.stream);
  if (wanted) DS_TRY(check_judged(s, query, shown(query)));
  if (s.gone) return disappeared(s, shown(query), catalog_.gone(table));
  if (s.created && s.if_missing && !s.rows && !s.values) {
    DS_ASSIGN(const bool known, catalog_.is_known(table));
    if (known) return {};  // nothing happened
  }
  const bool was_gone = catalog_.gone(table);
  bool key = s.key;
  for (const auto& column : s.columns) key = key || catalog_.may_be_key(table, column);
  missing_.erase(&table);
  DefinitionChange change{s.columns, s.rows || s.created, gtid_, column_names(query)};
  change.added = s.added;
  change.others = s.others;
  change.key = key;
  change.taken = judged_moves(taken_by(table));
  change.replaced = change.names.certain && s.created && (!s.if_missing || was_gone);
  if (s.truncated && !s.rows && !s.created && !s.values)
    return wanted ? truncated(table, std::nullopt) : base::Result<void>();
  // Asked before the new definition is published: a column counts as known to readers only if they had one of the name.
  bool values = s.values;
  if (!s.created)
    for (const auto& column : s.added) values = values || parts_.had_column(table, column);
  DS_ASSIGN(const auto changed, catalog_.changed(table, change));
  values = values || (changed.computes_again && !s.created);
  parts_.due.forget(table);
  // It may be the one that took the table away: nothing else will say so.
  const auto& judged = query.judgement;
  if (s.rows && !changed.exists && (judged.renames || !judged.certain || query.context.failed))
    return disappeared(s, shown(query), was_gone);
  if (!wanted) return {};
  // A new table is empty, and its rows follow as row events. IF NOT EXISTS may have found one that was there, also
  // where none is known to have been.
  const bool empty = s.created && (s.replaced || was_gone);
  bool rows = s.rows || (s.created && (!empty || s.if_missing));
  if (empty && !s.rows) {
    auto schema = changed.of_this_place ? changed.schema : std::nullopt;
    if (changed.exists || catalog_.seen(table))
      DS_TRY(truncated(table, schema));
    else
      rows = true;
  }
  if (may_hide_changes(query.sql, query.context, catalog_.allows_cascades())) rows = true;
  // Readers compare the foreign keys before the copy's first row. Nothing after this statement shows what no statement
  // announced before it.
  if (changed.acting_keys_changed || changed.unannounced) rows = true;
  // What is not there cannot be copied.
  if ((rows || values) && !changed.exists) return disappeared(s, shown(query), was_gone);
  if (rows || values) DS_TRY(outdated(table, rows || key, shown(query)));
  if (!changed.schema) return {};
  if (changed.of_this_place)
    parts_.writer.announce(table, *changed.schema);
  else
    parts_.due.add(table, *changed.schema, changed.executed);
  return {};
}

base::Result<void> Pipeline::outdated(const TableChoice& table, bool rows_missed, const std::string& why) {
  outdated_ = true;
  return parts_.on_outdated({table.qualified(), rows_missed}, why);
}

base::Result<void> Pipeline::announce_again(const TableChoice& table) {
  DS_ASSIGN(const auto now, catalog_.as_of_now(table));
  if (now.schema) parts_.due.add(table, *now.schema, now.executed);
  return {};
}

/// Readers get a table's new definition when it is sure to be the one of its place, without waiting for a row. At the
/// end of each transaction, whatever it changed.
base::Result<void> Pipeline::announce_due() {
  if (parts_.due.empty() || before_start_) return {};
  auto here = parts_.writer.position();
  here.add(gtid_);
  for (const auto& [table, schema] : parts_.due.take(here, parts_.selection)) {
    if (!parts_.writer.wants(table->stream)) continue;
    if (!catalog_.explained(*table, schema))
      DS_TRY(outdated(*table, true, "its definition changed without a statement in the binlog"));
    parts_.writer.announce(*table, schema);
  }
  return {};
}

base::Result<void> Pipeline::truncated(const TableChoice& table, std::optional<message::SchemaId> schema) {
  if (!schema) {
    DS_ASSIGN(schema, catalog_.schema_of(table));
  }
  // It disappeared later, and readers were never given it.
  if (!schema) return {};
  DS_ASSIGN(auto* buffer, parts_.writer.rows(table, *schema, 1));
  buffer->put(static_cast<std::uint8_t>(message::Op::Truncate));
  ++rows_in_transaction_;
  return parts_.writer.added(1);
}

base::Result<bool> Pipeline::comes_back(const TableChoice& table) {
  while (true) {
    DS_ASSIGN(const bool exists, catalog_.exists(table));
    if (exists || base::steady_now() >= back_soon_) return exists;
    parts_.status.beat();
    if (!base::sleep_for(stop_, kStep)) return Error(Reason::Stopping, "a stop was requested");
  }
}

/// No table has the name any more at this place. While another one has it now, that one is copied; else readers hear of
/// it, unless it is `known` to have been so before.
base::Result<void> Pipeline::disappeared(const TableStatement& s, const std::string& statement, bool known) {
  using What = message::SchemaNote::What;
  const auto& table = *s.table;
  parts_.due.forget(table);
  if (!parts_.writer.wants(table.stream)) return catalog_.set_gone(table, gtid_, false);
  DS_ASSIGN(const bool back, comes_back(table));
  DS_TRY(catalog_.set_gone(table, gtid_, s.gone && !back));
  if (back) return outdated(table, true, statement);
  if (known) return {};
  const bool renamed = !s.renamed_to.empty();
  base::log::warn(
      renamed ? "a captured table was renamed at the source" : "a captured table was dropped at the source",
      {{"table", table.qualified()}, {"renamed_to", s.renamed_to}, {"gtid", gtid_.text()}, {"statement", statement}});
  parts_.writer.note(
      table, {gtid_, table.database, table.table, renamed ? What::Renamed : What::Dropped, statement, s.renamed_to});
  return {};
}

}  // namespace datasync::capture
