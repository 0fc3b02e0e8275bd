#include "agents/destination/memory/server.hpp"

namespace datasync::apply {

base::Result<void> MemoryTransaction::alive() const {
  if (aborted_ || database_.stopped())
    return base::Error(base::Reason::DestinationUnreachable, "the connection is closed");
  return {};
}

void MemoryTransaction::begin() {
  rollback();
  open_ = true;
}

void MemoryTransaction::commit() {
  database_.finish(this, changed_);
  changed_.clear();
  savepoints_.clear();
  open_ = false;
}

void MemoryTransaction::rollback() noexcept {
  changed_.clear();
  savepoints_.clear();
  open_ = false;
  database_.finish(this, {});
}

bool MemoryTransaction::rollback_to(Savepoint at) {
  const auto found = savepoints_.find(at);
  if (found == savepoints_.end()) return false;
  changed_ = found->second;
  return true;
}

void MemoryTransaction::abort() noexcept {
  aborted_ = true;
  database_.wake();
}

base::Result<std::optional<MemoryObject>> MemoryTransaction::read(const std::string& name) const {
  DS_TRY(alive());
  const auto at = changed_.find(name);
  return at == changed_.end() ? database_.committed(name) : at->second;
}

base::Result<MemoryObjects> MemoryTransaction::all() const {
  DS_TRY(alive());
  auto out = database_.all();
  for (const auto& [name, object] : changed_) out.insert_or_assign(name, object);
  std::erase_if(out, [](const auto& entry) { return !entry.second; });
  return out;
}

base::Result<void> MemoryTransaction::change(
    const std::string& name, const std::function<base::Result<void>(std::optional<MemoryObject>&)>& change) {
  DS_TRY(alive());
  DS_TRY(database_.lock(name, this));
  DS_ASSIGN(auto object, read(name));
  if (auto done = change(object); !done) {
    if (!open_) rollback();
    return done;
  }
  changed_.insert_or_assign(name, std::move(object));
  if (!open_) commit();
  return {};
}

}  // namespace datasync::apply
