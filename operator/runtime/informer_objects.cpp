// The objects that an informer has, for other threads.

#include "operator/runtime/informer.hpp"

namespace datasync::runtime {

Informer::Object Informer::get(const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second.object;
}

std::vector<Informer::Object> Informer::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Object> found;
  found.reserve(objects_.size());
  for (const auto& [key, seen] : objects_) found.push_back(seen.object);
  return found;
}

std::vector<Informer::Object> Informer::indexed(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  std::vector<Object> found;
  const auto keys = index_.find(name);
  if (keys == index_.end()) return found;
  for (const auto& key : keys->second) found.push_back(objects_.at(key).object);
  return found;
}

std::size_t Informer::size() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

Informer::Counts Informer::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace datasync::runtime
