#include <utility>

#include "operator/kube/client.hpp"

namespace datasync::kube {
namespace {

thread_local std::stop_token current_stop;  // NOLINT: what CallScope is about

}  // namespace

CallScope::CallScope(std::stop_token stop) : before_(std::exchange(current_stop, std::move(stop))) {}

CallScope::~CallScope() {
  current_stop = std::move(before_);
}

std::stop_token CallScope::current() {
  return current_stop;
}

}  // namespace datasync::kube
