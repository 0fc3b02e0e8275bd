#include "agents/capture/plan/position_loss.hpp"

#include "agents/base/log.hpp"

namespace datasync::capture {

bool PositionLoss::may_give_up(const message::GtidSet& position) {
  const std::lock_guard lock(mutex_);
  lost_ = position.empty() ? "unknown" : position.text();
  return config_.on_position_lost == config::OnPositionLost::Resnapshot || named();
}

bool PositionLoss::accepts(const message::GtidSet& position) {
  const std::lock_guard lock(mutex_);
  lost_ = position.text();
  return named();
}

/// A user has accepted exactly this loss.
bool PositionLoss::named() {
  if (config_.accept_position_lost != lost_) return false;
  accepted_ = lost_;
  base::log::warn("the loss of this position was accepted by an annotation", {{"position", std::string_view(lost_)}});
  return true;
}

void PositionLoss::regained() {
  const std::lock_guard lock(mutex_);
  lost_.clear();
}

std::string PositionLoss::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::string PositionLoss::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

}  // namespace datasync::capture
