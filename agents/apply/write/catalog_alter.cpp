// How a table of the destination is altered until it takes the rows of a definition.

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/apply/write/catalog.hpp"
#include "agents/base/log.hpp"
#include "agents/destination/copy_token.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;
using config::SchemaChanges;

std::string texts(const std::vector<Alteration>& alterations, std::string Alteration::*part) {
  std::vector<std::string> out;
  for (const auto& alteration : alterations) out.push_back(alteration.*part);
  return fmt::format("{}", fmt::join(out, "; "));
}

std::string attributes_of(const DestinationFacts& facts, std::string_view column) {
  const auto at = facts.attributes.find(base::fold_identifier(column));
  return at == facts.attributes.end() ? std::string() : at->second;
}

using Names = std::set<std::string>;

std::vector<std::string> key_columns(const message::TableSchema& schema) {
  std::vector<std::string> out;
  for (const auto index : schema.key) out.push_back(schema.columns[index].name);
  return out;
}

Names key_names(const message::TableSchema& schema) {
  Names out;
  for (const auto& name : key_columns(schema)) out.insert(base::fold_identifier(name));
  return out;
}

bool is_in(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const std::string& one) { return base::same_column(one, name); });
}

bool all_in(const Names& some, const Names& all) {
  return std::ranges::includes(all, some);
}

/// Rows that have different keys at the source may have the same one at the destination. Not where it always was so:
/// then the key is the user's.
bool key_is_in_the_way(const message::TableSchema& schema, const message::TableSchema* before, const TableInfo& info) {
  const auto there = key_names(info.schema);
  return before != nullptr && !there.empty() && all_in(key_names(*before), there) && !all_in(key_names(schema), there);
}

std::string key_text(const message::TableSchema& schema) {
  return fmt::format("{}", fmt::join(key_columns(schema), ", "));
}

/// The server converts no other type into it and it into no other one, not even in an empty table.
bool is_of_its_own(message::ColumnType type) {
  using message::ColumnType;
  return type == ColumnType::Uuid || type == ColumnType::Inet4 || type == ColumnType::Inet6 ||
         type == ColumnType::Geometry;
}

/// What the destination's table needs besides the columns that it lacks, in the order in which it is done. `emptied`:
/// no row that is stored now stays. `unknown`: columns that a user may have altered since rows were stored.
std::vector<Alteration> alterations_of(const Fit& fits, const message::TableSchema& schema,
                                       const message::TableSchema* before, bool emptied, const TableInfo& info,
                                       const DestinationFacts& facts, const std::vector<std::string>& unknown,
                                       const Dialect& dialect, const TargetName& name) {
  std::vector<Alteration> out;
  const auto there = key_names(info.schema);
  // A column that must take NULL cannot be part of the primary key.
  const auto in_key = [&](std::string_view column) { return there.contains(base::fold_identifier(column)); };
  const bool optional_key =
      std::ranges::any_of(fits.unfilled, in_key) || std::ranges::any_of(fits.narrow, [&](const auto& narrow) {
        return narrow.wanted.nullable && in_key(narrow.wanted.name);
      });
  if (optional_key || key_is_in_the_way(schema, before, info))
    out.push_back({fmt::format("the primary key ({}) of the destination is not that of the source ({})",
                               key_text(info.schema), key_text(schema)),
                   dialect.replace_key(schema, name.database, name.table), all_in(there, key_names(schema)), true,
                   key_columns(schema)});
  for (const auto& narrow : fits.narrow) {
    const auto& wanted = narrow.wanted;
    const auto* column = find_column(info.schema.columns, wanted.name);
    const bool other =
        !narrow.lossless && !in_key(wanted.name) && column != nullptr &&
        (is_of_its_own(column->type) || is_of_its_own(wanted.type) || is_in(facts.virtual_columns, wanted.name));
    auto statement = other
                         ? dialect.replace_column(wanted, name.database, name.table)
                         : dialect.modify_column(wanted, attributes_of(facts, wanted.name), name.database, name.table);
    // What did not take the values of the source's former definition is what a user made of it.
    const auto* former = before == nullptr ? nullptr : find_column(before->columns, wanted.name);
    const bool fitted =
        !narrow.computed && (former == nullptr ? !is_in(unknown, wanted.name)
                                               : column == nullptr || !misfit(*former, *column, in_key(wanted.name)));
    out.push_back({narrow.text, std::move(statement), narrow.lossless, emptied || fitted, {wanted.name}});
  }
  for (const auto& column : fits.unfilled) {
    auto optional = *find_column(info.schema.columns, column);
    optional.nullable = true;
    out.push_back({fmt::format("column {} is not in the source table, has no default and takes no NULL", column),
                   dialect.modify_column(optional, attributes_of(facts, column), name.database, name.table),
                   true,
                   before != nullptr && find_column(before->columns, column) != nullptr,
                   {column}});
  }
  return out;
}

}  // namespace

base::Result<Fit> Catalog::fit_or_alter(DestinationServer& connection, const message::TableSchema& schema,
                                        const TargetName& name, TableInfo& info, DestinationFacts& facts,
                                        const Cause& cause, const KnownTable* known) {
  auto fits = fit(schema, info, dialect_, facts.required, facts.restricted);
  const auto needed = [&] {
    return alterations_of(fits, schema, cause.before.get(), cause.emptied, info, facts, cause.unknown, dialect_, name);
  };
  const auto alterations = needed();
  if (fits.missing.empty() && alterations.empty()) return fits;
  // It gets another CREATE_TIME: when the source has emptied it, it is not one that lost its rows then.
  if (known != nullptr) DS_TRY(note_if_empty(connection, *known));
  DS_TRY(add_columns(connection, schema, name, fits.missing));
  DS_TRY(alter(connection, schema, name, alterations, cause));
  DS_ASSIGN(facts, connection.facts(name));
  DS_ASSIGN(info, find_or_make(connection, schema, name, known));
  fits = fit(schema, info, dialect_, facts.required, facts.restricted);
  const auto left = needed();
  if (!left.empty() || !fits.missing.empty())
    return Error(Reason::DestinationSchemaMismatch, fmt::format("{} still does not fit after it was altered: {}",
                                                                name.qualified(), texts(left, &Alteration::why)));
  return fits;
}

/// What the source's other geometries need: capture does not know that its column takes them now, too.
std::string Catalog::way_on_for_values(const message::TableSchema& schema, const TargetName& name,
                                       const DestinationFacts& facts) const {
  std::string out;
  for (const auto& column : schema.columns) {
    const auto at = facts.restricted.find(base::fold_identifier(column.name));
    if (column.type != message::ColumnType::Geometry || at == facts.restricted.end()) continue;
    out += fmt::format("; if the value is of column {}, which takes only {} at the destination, run there: {}",
                       column.name, at->second,
                       dialect_.modify_column(column, attributes_of(facts, column.name), name.database, name.table));
  }
  return out;
}

/// Only after the source: a column that was narrower from the beginning, or that a user made so, is the user's. Where a
/// stored value could become another one the table is altered while it is empty, because a copy fills it again.
base::Result<void> Catalog::alter(DestinationServer& connection, const message::TableSchema& schema,
                                  const TargetName& name, const std::vector<Alteration>& alterations,
                                  const Cause& cause) {
  if (alterations.empty()) return {};
  const bool followed = (cause.source_changed || cause.emptied) && std::ranges::all_of(alterations, &Alteration::ours);
  bool lossless = std::ranges::all_of(alterations, &Alteration::lossless);
  const auto wanted =
      lossless ? config_.schema_changes != SchemaChanges::Halt : config_.schema_changes == SchemaChanges::ApplyAll;
  const auto why = fmt::format("{}: {}", name.qualified(), texts(alterations, &Alteration::why));
  const auto statements = texts(alterations, &Alteration::statement);
  const auto emptying = dialect_.delete_rows(name);
  const auto copying = "have the table copied again: " + copy_hint({schema.qualified()});
  const auto mismatch = [&](std::string way_on) {
    return Error(Reason::DestinationSchemaMismatch, why + ". " + way_on);
  };
  if (!wanted || !followed) {
    const auto doubtful = [&](const Alteration& alteration) {
      return std::ranges::any_of(alteration.columns, [&](const auto& column) { return is_in(cause.unknown, column); });
    };
    if (lossless && std::ranges::any_of(alterations, doubtful))
      return mismatch(
          fmt::format("Run at the destination: {}. Values may have been changed when it was made narrower: "
                      "then {}",
                      statements, copying));
    if (lossless) return mismatch(fmt::format("Run at the destination: {}", statements));
    if (cause.emptied)
      return mismatch(fmt::format("A copy replaces its rows. Run at the destination: {}; {}", emptying, statements));
    return mismatch(fmt::format("Run at the destination: {}; {}. Then {}", emptying, statements, copying));
  }
  if (!lossless && !cause.emptied) {
    DS_ASSIGN(lossless, connection.is_empty(name));
  }
  if (!lossless && !cause.emptied) {
    needs_copy_ = schema.qualified();
    return mismatch("It is altered when it is copied again. If that does not begin automatically, " + copying);
  }
  if (!lossless) DS_TRY(empty(connection, name));
  for (const auto& alteration : alterations) {
    DS_TRY(change_table(connection, name, alteration.statement, alteration.columns, "altering"));
    base::log::info("altered a table", {{"table", name.qualified()}, {"why", std::string_view(alteration.why)}});
  }
  return {};
}

/// What comes next empties it in any case: whoever deletes its rows and alters it, as apply does or as its message
/// says, does not make it another one.
base::Result<void> Catalog::note_to_be_emptied(DestinationServer& connection, const TargetName& name) {
  const auto* known = known_.find(name.qualified());
  if (known == nullptr || !known->has_rows) return {};
  auto seen = *known;
  seen.has_rows = false;
  DS_TRY(known_.store(connection, token_, std::move(seen)));
  has_no_rows(name.qualified());
  return {};
}

/// The rows that come next begin with the order to do so. Each part holds the ledger's row, so that a replaced instance
/// deletes nothing.
base::Result<void> Catalog::empty(DestinationServer& connection, const TargetName& name) {
  // As when the order itself is executed: other tables are emptied or copied by their own orders.
  DS_TRY(connection.check_foreign_keys(false));
  for (std::uint64_t deleted = 1; deleted != 0;) {
    DS_TRY(connection.begin());
    if (fence_) DS_TRY(fence_(connection));
    auto done = run_watched(
        connection,
        [&]() -> base::Result<void> {
          DS_ASSIGN(deleted, connection.delete_batch(name));
          return connection.commit();
        },
        waiting_);
    if (!done) return std::move(done).error().context("while emptying " + name.qualified());
  }
  return {};
}

}  // namespace datasync::apply
