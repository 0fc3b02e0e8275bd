#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/destination/memory/server.hpp"

namespace datasync::apply {
namespace {

/// No name of a database, task or topic has a line end.
std::string stream_of(const LedgerKey& key) {
  return fmt::format("{}\n{}\n{}", key.task, key.topic, key.stream);
}
std::string ledger_of(const std::string& database, const LedgerKey& key) {
  return "ledger/" + database + "\n" + stream_of(key);
}
std::string known_of(const std::string& database, const LedgerKey& key) {
  return "known/" + database + "\n" + stream_of(key);
}
std::string held_of(const std::string& database, const LedgerKey& key) {
  return "held/" + database + "\n" + stream_of(key);
}
std::string instances_of(const std::string& database, const InstanceKey& key) {
  return "instances/" + database + "\n" + key.task + "\n" + key.topic;
}

template <class Map>
auto values(const Map& map) {
  std::vector<typename Map::mapped_type> out;
  for (const auto& [key, value] : map) out.push_back(value);
  return out;
}

}  // namespace

base::Result<void> MemoryLedgerStore::in(const std::string& name, const std::function<void(MemoryObject&)>& change) {
  return transaction_.change(name, [&](std::optional<MemoryObject>& object) -> base::Result<void> {
    if (!object) object.emplace();
    change(*object);
    return {};
  });
}

base::Error MemoryLedgerStore::duplicate(std::string_view what) {
  failure_ = Failure::DuplicateKey;
  return {base::Reason::ConstraintViolated, fmt::format("{} exists already", what)};
}

base::Result<bool> MemoryLedgerStore::has_token(const std::string& database, const LedgerKey& key,
                                                std::uint64_t token) const {
  DS_ASSIGN(const auto object, transaction_.read(ledger_of(database, key)));
  return object && object->ledger && object->ledger->token == token;
}

base::Result<void> MemoryLedgerStore::forget_task(const std::string& database, const std::string& task) {
  DS_ASSIGN(const auto all, transaction_.all());
  for (const auto& [name, object] : all) {
    for (const auto* kind : {"ledger/", "known/", "held/", "instances/"}) {
      if (!name.starts_with(kind + database + "\n" + task + "\n")) continue;
      DS_TRY(transaction_.change(name, [](std::optional<MemoryObject>& gone) -> base::Result<void> {
        gone.reset();
        return {};
      }));
    }
  }
  return {};
}

base::Result<void> MemoryLedgerStore::forget_tables(const std::string& database, const LedgerKey& key) {
  DS_TRY(in(held_of(database, key), [](MemoryObject& object) { object.held.clear(); }));
  return in(known_of(database, key), [](MemoryObject& object) { object.known.clear(); });
}

base::Result<std::optional<LedgerRow>> MemoryLedgerStore::lock_row(const std::string& database, const LedgerKey& key) {
  std::optional<LedgerRow> out;
  DS_TRY(in(ledger_of(database, key), [&](MemoryObject& object) { out = object.ledger; }));
  return out;
}

base::Result<void> MemoryLedgerStore::insert_row(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                                 const std::string& types, const std::string& instance) {
  failure_ = Failure::Other;
  return transaction_.change(ledger_of(database, key), [&](std::optional<MemoryObject>& object) -> base::Result<void> {
    if (object && object->ledger) return duplicate("the row of the ledger");
    object.emplace();
    object->ledger = LedgerRow{{}, token, instance, types};
    object->held_names.emplace();
    return {};
  });
}

base::Result<void> MemoryLedgerStore::set_holder(const std::string& database, const LedgerKey& key, std::uint64_t token,
                                                 const std::string& types, const std::string& instance) {
  return in(ledger_of(database, key), [&](MemoryObject& object) {
    if (object.ledger) object.ledger = LedgerRow{object.ledger->state, token, instance, types};
  });
}

base::Result<bool> MemoryLedgerStore::write_state(const std::string& database, const LedgerKey& key,
                                                  std::uint64_t token, const LedgerState& state, LedgerParts parts) {
  bool mine = false;
  DS_TRY(in(ledger_of(database, key), [&](MemoryObject& object) {
    mine = object.ledger && object.ledger->token == token;
    if (!mine) return;
    auto next = state;
    if (!parts.snapshot) next.snapshot = object.ledger->state.snapshot;
    if (!parts.awaited) next.awaited = object.ledger->state.awaited;
    object.ledger->state = std::move(next);
  }));
  return mine;
}

base::Result<bool> MemoryLedgerStore::lock_token(const std::string& database, const LedgerKey& key,
                                                 std::uint64_t token) {
  bool mine = false;
  DS_TRY(in(ledger_of(database, key),
            [&](MemoryObject& object) { mine = object.ledger && object.ledger->token == token; }));
  return mine;
}

base::Result<std::optional<std::int64_t>> MemoryLedgerStore::next_offset(const std::string& database,
                                                                         const LedgerKey& key, std::uint64_t token) {
  DS_ASSIGN(const auto object, transaction_.read(ledger_of(database, key)));
  if (!object || !object->ledger || object->ledger->token != token) return std::optional<std::int64_t>{};
  return std::optional<std::int64_t>(object->ledger->state.next_offset);
}

base::Result<std::optional<std::vector<std::string>>> MemoryLedgerStore::held_names(const std::string& database,
                                                                                    const LedgerKey& key) {
  DS_ASSIGN(auto object, transaction_.read(ledger_of(database, key)));
  return object ? std::move(object->held_names) : std::nullopt;
}

base::Result<void> MemoryLedgerStore::set_held_names(const std::string& database, const LedgerKey& key,
                                                     const std::vector<std::string>& names) {
  return in(ledger_of(database, key), [&](MemoryObject& object) { object.held_names = names; });
}

base::Result<std::vector<InstanceRank>> MemoryLedgerStore::instances(const std::string& database,
                                                                     const InstanceKey& key, bool lock) {
  if (lock) DS_TRY(in(instances_of(database, key), [](MemoryObject&) {}));
  DS_ASSIGN(auto object, transaction_.read(instances_of(database, key)));
  std::vector<InstanceRank> out;
  if (object) out.assign(object->instances.rbegin(), object->instances.rend());
  return out;
}

base::Result<void> MemoryLedgerStore::insert_instance(const std::string& database, const InstanceKey& key,
                                                      std::uint64_t rank) {
  failure_ = Failure::Other;
  return transaction_.change(instances_of(database, key),
                             [&](std::optional<MemoryObject>& object) -> base::Result<void> {
                               if (!object) object.emplace();
                               auto& all = object->instances;
                               const auto same = [&](const InstanceRank& other) {
                                 return other.instance == key.instance || other.rank == rank;
                               };
                               if (std::ranges::any_of(all, same)) return duplicate("the instance or its rank");
                               all.push_back({key.instance, rank});
                               std::ranges::sort(all, {}, &InstanceRank::rank);
                               return {};
                             });
}

base::Result<void> MemoryLedgerStore::trim_instances(const std::string& database, const InstanceKey& key,
                                                     std::uint64_t kept) {
  return in(instances_of(database, key), [&](MemoryObject& object) {
    const auto newest = object.instances.empty() ? 0 : object.instances.back().rank;
    std::erase_if(object.instances, [&](const InstanceRank& one) { return one.rank + kept < newest; });
  });
}

base::Result<std::vector<KnownTable>> MemoryLedgerStore::known_tables(const std::string& database,
                                                                      const LedgerKey& key) {
  DS_ASSIGN(const auto object, transaction_.read(known_of(database, key)));
  return object ? values(object->known) : std::vector<KnownTable>();
}

base::Result<bool> MemoryLedgerStore::store_known(const std::string& database, const LedgerKey& key,
                                                  std::uint64_t token, const KnownTable& table) {
  DS_ASSIGN(const bool mine, has_token(database, key, token));
  if (!mine) return false;
  DS_TRY(
      in(known_of(database, key), [&](MemoryObject& object) { object.known.insert_or_assign(table.target, table); }));
  return true;
}

base::Result<void> MemoryLedgerStore::set_has_rows(const std::string& database, const LedgerKey& key,
                                                   const std::string& target, bool has_rows) {
  return in(known_of(database, key), [&](MemoryObject& object) {
    if (const auto at = object.known.find(target); at != object.known.end()) at->second.has_rows = has_rows;
  });
}

base::Result<void> MemoryLedgerStore::add_filled(const std::string& database, const LedgerKey& key,
                                                 const std::string& target, const std::vector<std::string>& columns) {
  return in(known_of(database, key), [&](MemoryObject& object) {
    const auto at = object.known.find(target);
    if (at != object.known.end()) at->second.filled.insert(at->second.filled.end(), columns.begin(), columns.end());
  });
}

base::Result<std::optional<std::string>> MemoryLedgerStore::other_source(const std::string& database,
                                                                         const LedgerKey& key,
                                                                         const std::string& target,
                                                                         const std::string& source) {
  DS_ASSIGN(const auto all, transaction_.all());
  const auto of_task = "known/" + database + "\n" + key.task + "\n" + key.topic + "\n";
  for (const auto& [name, object] : all) {
    if (!name.starts_with(of_task) || name == known_of(database, key)) continue;
    const auto at = object->known.find(target);
    if (at != object->known.end() && at->second.source != source) return std::optional(at->second.source);
  }
  return std::optional<std::string>{};
}

base::Result<std::optional<std::string>> MemoryLedgerStore::other_task(const std::string& database,
                                                                       const std::string& task,
                                                                       const std::string& target) {
  DS_ASSIGN(const auto all, transaction_.all());
  const auto prefix = "known/" + database + "\n";
  for (const auto& [name, object] : all) {
    if (!name.starts_with(prefix) || !object->known.contains(target)) continue;
    auto other = name.substr(prefix.size(), name.find('\n', prefix.size()) - prefix.size());
    if (other != task) return std::optional(std::move(other));
  }
  return std::optional<std::string>{};
}

base::Result<void> MemoryLedgerStore::remove_known(const std::string& database, const LedgerKey& key,
                                                   const std::string& target, std::optional<std::uint64_t> token) {
  if (token) {
    DS_ASSIGN(const bool mine, has_token(database, key, *token));
    if (!mine) return {};
  }
  return in(known_of(database, key), [&](MemoryObject& object) { object.known.erase(target); });
}

base::Result<std::vector<HeldTable>> MemoryLedgerStore::held_tables(const std::string& database, const LedgerKey& key) {
  DS_ASSIGN(const auto object, transaction_.read(held_of(database, key)));
  return object ? values(object->held) : std::vector<HeldTable>();
}

base::Result<void> MemoryLedgerStore::insert_held(const std::string& database, const LedgerKey& key,
                                                  const HeldTable& table) {
  return in(held_of(database, key), [&](MemoryObject& object) { object.held.insert_or_assign(table.source, table); });
}

base::Result<void> MemoryLedgerStore::set_refused(const std::string& database, const LedgerKey& key,
                                                  const HeldTable& table) {
  return in(held_of(database, key), [&](MemoryObject& object) {
    const auto at = object.held.find(table.source);
    if (at == object.held.end()) return;
    auto& row = at->second;
    row.table = table.table;
    row.reason = table.reason;
    row.message = table.message;
    row.refused_at = table.refused_at;
    row.tries = table.tries;
  });
}

base::Result<bool> MemoryLedgerStore::set_place(const std::string& database, const LedgerKey& key,
                                                const std::string& source, const LedgerState& at, bool emptied) {
  bool there = false;
  DS_TRY(in(held_of(database, key), [&](MemoryObject& object) {
    const auto row = object.held.find(source);
    there = row != object.held.end();
    if (!there) return;
    row->second.at = at;
    if (emptied) row->second.refused_at = -1;
  }));
  return there;
}

base::Result<void> MemoryLedgerStore::remove_held(const std::string& database, const LedgerKey& key,
                                                  const std::string& source) {
  return in(held_of(database, key), [&](MemoryObject& object) { object.held.erase(source); });
}

}  // namespace datasync::apply
