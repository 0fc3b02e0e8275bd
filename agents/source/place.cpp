#include "agents/source/place.hpp"

namespace datasync::source {

bool Place::before(const Place& other) const noexcept {
  if (log_.size() != other.log_.size()) return log_.size() < other.log_.size();
  if (const int order = log_.compare(other.log_); order != 0) return order < 0;
  return offset_ < other.offset_;
}

}  // namespace datasync::source
