#include "agents/destination/memory/database.hpp"

#include <utility>

namespace datasync::apply {

std::string memory_table(const std::string& qualified) {
  return "table/" + qualified;
}

void MemoryDatabase::create_table(TableInfo info) {
  MemoryObject object;
  object.altered = next_change();
  const auto name = memory_table(info.schema.qualified());
  object.info = std::move(info);
  const std::lock_guard lock(mutex_);
  objects_.insert_or_assign(name, std::move(object));
}

std::vector<MemoryRow> MemoryDatabase::rows(const std::string& table) const {
  const auto object = committed(memory_table(table));
  return object ? object->rows : std::vector<MemoryRow>();
}

void MemoryDatabase::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake();
}

bool MemoryDatabase::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

std::optional<MemoryObject> MemoryDatabase::committed(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(name);
  return at == objects_.end() ? std::nullopt : std::optional(at->second);
}

MemoryObjects MemoryDatabase::all() const {
  const std::lock_guard lock(mutex_);
  return {objects_.begin(), objects_.end()};
}

base::Result<void> MemoryDatabase::lock(const std::string& name, const void* owner) {
  std::unique_lock lock(mutex_);
  const auto is_free = [&] {
    const auto at = locks_.find(name);
    return stopped_ || at == locks_.end() || at->second == owner;
  };
  if (!freed_.wait_for(lock, patience_, is_free))
    return base::Error(base::Reason::DestinationBusy, "the lock was not free in time");
  if (stopped_) return base::Error(base::Reason::DestinationUnreachable, "the database is stopped");
  locks_[name] = owner;
  return {};
}

void MemoryDatabase::finish(const void* owner, const MemoryObjects& changed) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, object] : changed) {
      if (object) {
        objects_.insert_or_assign(name, *object);
      } else {
        objects_.erase(name);
      }
    }
    std::erase_if(locks_, [&](const auto& entry) { return entry.second == owner; });
  }
  wake();
}

void MemoryDatabase::wake() {
  freed_.notify_all();
}

std::uint64_t MemoryDatabase::next_change() {
  const std::lock_guard lock(mutex_);
  return ++changes_;
}

}  // namespace datasync::apply
