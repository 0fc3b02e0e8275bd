#include "agents/apply/read/schema_book.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"

namespace datasync::apply {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr base::Millis kPause{200};

}  // namespace

base::Result<void> SchemaBook::read_on(std::stop_token stop) {
  if (!log_) {
    DS_ASSIGN(log_, open_());
  }
  auto read = log_->read_each(std::move(stop), [this](const protocol::StateRecord& record) -> base::Result<void> {
    if (record.removed) return {};
    auto taken = take(record);
    if (!taken) return std::move(taken).error().context(fmt::format("state topic, offset {}", record.offset));
    return {};
  });
  if (!read) log_.reset();  // a new one reads all of it again, which changes nothing
  return read;
}

base::Result<void> SchemaBook::take(const protocol::StateRecord& record) {
  const auto value = base::as_bytes(record.value);
  if (record.kind == message::Kind::SchemaBody) {
    DS_ASSIGN(auto schema, message::parse_schema(value));
    const bool fresh = known_.insert(schema.id()).second;
    tables_.insert(schema.qualified());
    auto shared = std::make_shared<const message::TableSchema>(std::move(schema));
    const bool wanted = shared->id() == wanted_;
    if (wanted) found_ = shared;
    // While the topic is read once more for one schema, the others keep their places.
    if (fresh || wanted) keep(std::move(shared), record.value.size());
  } else if (record.kind == message::Kind::Progress) {
    // Also of a replaced capture: what type a table is of changes seldom, and never while its rows are awaited.
    const auto progress = message::decode<message::SnapshotProgress>(value);
    for (std::size_t i = 0; progress && i < progress->scopes.size(); ++i)
      if (!progress->scopes[i].type.empty()) types_.insert_or_assign(progress->tables[i], progress->scopes[i].type);
  } else if (record.kind == message::Kind::Definition) {
    auto definition = message::decode<message::Definition>(value);
    if (!definition || !definition->acting_keys) return {};
    auto& known = acting_keys_[definition->qualified()];
    if (definition->sequence >= known.sequence) known = {definition->sequence, std::move(*definition->acting_keys)};
  } else if (record.kind == message::Kind::Request) {
    const auto request = message::decode<message::Request>(value);
    if (request) asked_[request->id].insert(request->absent.begin(), request->absent.end());
  }
  return {};
}

/// Others make room for it, those that nobody has asked for longest.
void SchemaBook::keep(Schema schema, std::size_t bytes) {
  const auto id = schema->id();
  if (kept(id)) return;
  used_.push_front(id);
  schemas_.emplace(id, Kept{std::move(schema), bytes, used_.begin()});
  bytes_ += bytes;
  while (bytes_ > most_bytes_ && used_.size() > 1) {
    const auto last = schemas_.find(used_.back());
    bytes_ -= last->second.bytes;
    schemas_.erase(last);
    used_.pop_back();
  }
}

SchemaBook::Schema SchemaBook::kept(message::SchemaId id) {
  const auto at = schemas_.find(id);
  if (at == schemas_.end()) return nullptr;
  used_.splice(used_.begin(), used_, at->second.used);
  return at->second.schema;
}

base::Result<void> SchemaBook::refresh(std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  return read_on(std::move(stop));
}

std::optional<std::string> SchemaBook::type_of(const std::string& table) {
  const std::lock_guard lock(mutex_);
  const auto at = types_.find(table);
  return at == types_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::vector<message::ActingKey>> SchemaBook::acting_keys(const std::string& table) {
  const std::lock_guard lock(mutex_);
  const auto at = acting_keys_.find(table);
  return at == acting_keys_.end() ? std::nullopt : std::optional(at->second.keys);
}

std::vector<std::string> SchemaBook::tables_of(const std::string& type) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [table, of] : types_)
    if (of == type) out.push_back(table);
  return out;
}

std::vector<std::string> SchemaBook::tables() {
  const std::lock_guard lock(mutex_);
  auto out = tables_;
  for (const auto& [table, type] : types_) out.insert(table);
  return {out.begin(), out.end()};
}

bool SchemaBook::asked(const std::string& request) {
  const std::lock_guard lock(mutex_);
  return asked_.contains(request);
}

bool SchemaBook::asked_by_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(asked_, [&](const auto& request) { return request.first.ends_with("#" + token); });
}

bool SchemaBook::is_absent(const std::string& table, const std::string& request, const std::string& token) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(asked_, [&](const auto& asked) {
    return (asked.first == request || asked.first.ends_with("#" + token)) && asked.second.contains(table);
  });
}

base::Result<void> SchemaBook::ask(const message::Request& request, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  DS_TRY(read_on(std::move(stop)));
  if (asked_.contains(request.id)) return {};
  DS_TRY(log_->append(message::Kind::Request, message::request_key(request), message::encode(request)));
  asked_.try_emplace(request.id);
  return {};
}

/// Null when the topic does not have it now.
base::Result<SchemaBook::Schema> SchemaBook::read_for(message::SchemaId id, const std::stop_token& stop) {
  if (auto schema = kept(id)) return schema;
  const bool made_room = known_.contains(id);
  if (made_room) log_.reset();  // it is read from the beginning
  found_ = nullptr;
  wanted_ = id;
  auto read = read_on(stop);
  wanted_.reset();
  DS_TRY(std::move(read));
  auto schema = std::exchange(found_, nullptr);
  if (!schema && made_room) known_.erase(id);
  return schema;
}

base::Result<std::shared_ptr<const message::TableSchema>> SchemaBook::look(message::SchemaId id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  return read_for(id, stop);
}

base::Result<std::shared_ptr<const message::TableSchema>> SchemaBook::find(message::SchemaId id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  const auto deadline = base::steady_now() + kPatience;
  while (true) {
    DS_ASSIGN(auto schema, read_for(id, stop));
    if (schema) return schema;
    if (base::steady_now() > deadline)
      return base::Error(base::Reason::ForeignMessage,
                         fmt::format("the table schema {:016x} is not in the state topic", id.value()));
    if (!base::sleep_for(stop, kPause)) return base::Error(base::Reason::Stopping, "stopped");
  }
}

}  // namespace datasync::apply
