#include "operator/kube/rate_limit.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agents/base/backoff.hpp"

namespace datasync::kube {

using Seconds = std::chrono::duration<double>;

RateLimit::RateLimit(double qps, unsigned burst, Now now)
    : qps_(qps), burst_(std::max(1.0, static_cast<double>(burst))), now_(std::move(now)), tokens_(burst_) {
  last_ = now_();
  not_before_ = last_;
}

base::Millis RateLimit::reserve() {
  const std::lock_guard lock(mutex_);
  const auto now = now_();
  const auto pause = std::max(base::Millis(0), std::chrono::ceil<base::Millis>(not_before_ - now));
  if (qps_ <= 0) return pause;
  tokens_ = std::min(burst_, tokens_ + Seconds(now - last_).count() * qps_) - 1;
  last_ = now;
  const auto turn = tokens_ >= 0 ? base::Millis(0) : std::chrono::ceil<base::Millis>(Seconds(-tokens_ / qps_));
  return std::max(pause, turn);
}

void RateLimit::pause(base::Millis wait) {
  const std::lock_guard lock(mutex_);
  not_before_ = std::max(not_before_, now_() + wait);
}

bool RateLimit::wait(std::stop_token stop) {
  const auto turn = reserve();
  return turn.count() <= 0 ? !stop.stop_requested() : base::sleep_for(std::move(stop), turn);
}

}  // namespace datasync::kube
