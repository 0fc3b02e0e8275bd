// Which records of the state topic are no longer needed.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "agents/protocol/request_ids.hpp"
#include "agents/protocol/state_view.hpp"

namespace datasync::protocol {
namespace {

constexpr std::size_t kMostNames = 4000;  ///< a schema can have this many columns

/// The value of the annotation in a copy request. An apply task appends the number of the stream.
std::string_view annotation_of(std::string_view id, std::string_view from) {
  id.remove_prefix(std::min(id.size(), request_ids::kCopy.size() + from.size() + 1));
  const auto end = id.find_last_not_of("0123456789");
  return end != std::string_view::npos && id[end] == '/' ? id.substr(0, end) : id;
}

}  // namespace

std::vector<const StateView::AnswerKey*> StateView::needless_answers() const {
  const auto is_copy = [](const AnswerKey& key) { return key.second.starts_with(request_ids::kCopy); };
  // The annotation of a resource still has the value that it asked with last, and is read at each start.
  std::map<std::string_view, std::pair<Offset, std::string_view>> current;
  for (const auto& [key, answer] : answers_) {
    if (!is_copy(key)) continue;
    auto& newest = current[answer.from];
    newest = std::max(newest, {answer.offset, annotation_of(key.second, answer.from)});
  }
  std::vector<const AnswerKey*> out;
  for (const auto& [key, answer] : answers_) {
    const auto& id = key.second;
    const bool kept = std::ranges::any_of(request_ids::kForGood, [&](auto prefix) { return id.starts_with(prefix); }) ||
                      (is_copy(key) && current[answer.from].second == annotation_of(id, answer.from));
    if (!kept) out.push_back(&key);
  }
  return out;
}

std::vector<StateView::Key> StateView::obsolete(message::Epoch mine, std::int32_t streams) const {
  for (std::int32_t i = 0; i < streams; ++i)
    if (const auto at = checkpoints_.find(i); at == checkpoints_.end() || at->second.epoch != mine) return {};
  std::vector<Key> out;
  for (const auto& [key, epoch] : checkpoint_keys_)
    if (epoch < mine) out.push_back({message::Kind::Checkpoint, key});
  std::set<message::Epoch> needed;
  for (const auto& [key, p] : progress_keys_) {
    const auto newest = progress_.find(p.name);
    const bool counts = p.id == snapshot_ && newest != progress_.end() && newest->second.epoch == p.epoch;
    if (counts || p.epoch >= mine)
      needed.insert(p.epoch);
    else
      out.push_back({message::Kind::Progress, key});
  }
  std::set<std::string> tasks, holders;
  for (auto at = claim_keys_.rbegin(); at != claim_keys_.rend(); ++at) {
    const auto& [epoch, claim] = *at;
    const bool of_task = tasks.insert(claim.task).second;
    const bool of_holder = !claim.holder.empty() && holders.size() < kInstances && holders.insert(claim.holder).second;
    if (!of_task && !of_holder && epoch < mine && !needed.contains(epoch))
      out.push_back({message::Kind::Claim, claim.key});
  }
  const auto needless = needless_answers();
  auto left = needless.size();
  for (auto at = needless.begin(); left > kAnswers && (*at)->first < mine; ++at, --left) {
    message::Request wish;
    wish.id = (*at)->second;
    out.push_back({message::Kind::Request,
                   message::request_key(wish)});  // without its answer it would be a pending request again
    out.push_back({message::Kind::Request, key_of_answer(**at)});
  }
  return out;
}

std::vector<StateView::OldSchemas> StateView::old_schemas(const std::set<message::SchemaId>& used) const {
  struct Table {
    bool used = false;
    std::vector<message::SchemaId> former;  ///< including those that only have names
    bool more = false;                      ///< some of them have more than names
  };
  std::map<std::string, Table> tables;
  for (const auto id : schema_keys_) {
    const auto& schema = schemas_.at(id);
    auto& table = tables[schema.qualified()];
    table.used = table.used || used.contains(id);
    if (used.contains(id)) continue;
    table.former.push_back(id);
    table.more = table.more || !schema.key.empty();
  }
  std::vector<OldSchemas> out;
  for (const auto& [name, table] : tables) {
    if (!table.used || !table.more) continue;
    OldSchemas old;
    std::set<std::string_view> names;
    for (const auto id : table.former) {
      const auto& schema = schemas_.at(id);
      if (!old.names) old.names.emplace(message::TableSchema{schema.database, schema.table, {}, {}});
      for (const auto& column : schema.columns)
        if (names.insert(column.name).second) old.names->columns.push_back({.name = column.name});
    }
    if (old.names->columns.size() > kMostNames) continue;
    std::ranges::sort(old.names->columns, {}, &message::Column::name);  // equal names give an equal schema
    const auto kept = old.names->id();
    for (const auto id : table.former)
      if (id != kept) old.remove.push_back({message::Kind::SchemaBody, message::schema_key(id)});
    out.push_back(std::move(old));
  }
  return out;
}

}  // namespace datasync::protocol
