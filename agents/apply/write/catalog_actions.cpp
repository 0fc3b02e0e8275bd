// Foreign keys that change rows by themselves: no message has these changes, so that both sides must have the same
// ones.

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/apply/write/catalog.hpp"
#include "agents/destination/copy_token.hpp"

namespace datasync::apply {
namespace {

using base::Error;
using base::Reason;

std::string action_text(const std::string& name, const std::string& on_update, const std::string& on_delete) {
  return fmt::format("{} (ON UPDATE {} ON DELETE {})", name, on_update, on_delete);
}

std::string_view action(std::string_view rule) {
  return rule == "NO ACTION" ? "RESTRICT" : rule;
}

/// The same columns of the child point to the same ones of the parent.
bool same_columns(const message::ActingKey& a, const TableInfo::ForeignKey& b) {
  const auto pairs = [](const auto& key) {
    std::set<std::pair<std::string, std::string>> out;
    for (std::size_t i = 0; i < std::min(key.columns.size(), key.parent_columns.size()); ++i)
      out.emplace(base::fold_identifier(key.columns[i]), base::fold_identifier(key.parent_columns[i]));
    return out;
  };
  return pairs(a) == pairs(b);
}

}  // namespace

std::vector<std::string> actions_of(const TableInfo& info) {
  std::vector<std::string> out;
  for (const auto& key : info.foreign_keys) {
    if (key.acts()) out.push_back(action_text(key.name, key.on_update, key.on_delete));
  }
  std::ranges::sort(out);
  return out;
}

bool Catalog::is_like(const message::ActingKey& source, const TableInfo::ForeignKey& key) const {
  const auto parent = target_name(config_, source.parent_database, source.parent_table);
  return names_->key(parent.database, parent.table) == names_->key(key.parent_database, key.parent_table) &&
         same_columns(source, key) && action(source.on_update) == action(key.on_update) &&
         action(source.on_delete) == action(key.on_delete);
}

/// Those that were there when rows were stored first are accepted while capture does not say which ones the source has.
base::Result<void> Catalog::check_actions(const KnownTable& known, const TableInfo& info) const {
  const auto at_source = book_.acting_keys(known.source);
  for (const auto& key : info.foreign_keys) {
    const auto text = action_text(key.name, key.on_update, key.on_delete);
    if (!key.acts() || std::ranges::find(known.actions, text) != known.actions.end()) continue;
    const auto like = [&](const message::ActingKey& source) { return is_like(source, key); };
    if (at_source && std::ranges::any_of(*at_source, like)) continue;
    return lost(known, Reason::DestinationSchemaMismatch,
                fmt::format("got the foreign key {}, by which the server changes its rows", text));
  }
  return {};
}

base::Result<void> Catalog::check_acting_keys(DestinationServer& connection, const message::TableSchema& schema,
                                              const TargetName& name, const KnownTable* known, const TableInfo& info) {
  const auto at_source = book_.acting_keys(schema.qualified());
  if (!at_source) return {};
  for (const auto& key : info.foreign_keys) {
    const auto like = [&](const message::ActingKey& source) { return is_like(source, key); };
    if (!key.acts() || std::ranges::any_of(*at_source, like)) continue;
    return Error(
        Reason::DestinationSchemaMismatch,
        fmt::format("{} has the foreign key {}, by which the server changes its rows, and {} has none like it at "
                    "the source. Run {} at the destination{}",
                    name.qualified(), action_text(key.name, key.on_update, key.on_delete), schema.qualified(),
                    dialect_.drop_foreign_key(name, key.name),
                    known != nullptr && known->has_rows
                        ? ", and have the table copied again: " + copy_hint({schema.qualified()})
                        : std::string()));
  }
  for (const auto& source : *at_source) {
    if (std::ranges::any_of(info.foreign_keys, [&](const auto& key) { return is_like(source, key); })) continue;
    const auto parent = target_name(config_, source.parent_database, source.parent_table);
    // Its parent may come later on the stream; then this table is read again.
    DS_ASSIGN(const auto there, connection.table(parent));
    if (!there) {
      await_parent_[names_->key(parent.database, parent.table)].insert(names_->key(name.database, name.table));
      continue;
    }
    return Error(Reason::DestinationSchemaMismatch,
                 fmt::format("the foreign key {} of {} makes the source server change rows, which no message has, and "
                             "{} has none like it. Run {} at the destination{}",
                             action_text(source.name, source.on_update, source.on_delete), schema.qualified(),
                             name.qualified(), dialect_.add_foreign_key(name, source, parent),
                             known != nullptr && known->has_rows
                                 ? ", and have the table copied again: " + copy_hint({schema.qualified()})
                                 : std::string()));
  }
  return {};
}

}  // namespace datasync::apply
