#include "tests/model/fiber.hpp"

#include <cstdint>
#include <utility>

#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace datasync::model {
namespace {

constexpr std::size_t kStack = 512U << 10U;

// AddressSanitizer keeps books of the stack in use: it must hear of each change.
#if defined(__SANITIZE_ADDRESS__)
void leave_stack(void** keep, const void* bottom, std::size_t size) {
  __sanitizer_start_switch_fiber(keep, bottom, size);
}
void reach_stack(void* kept, const void** bottom, std::size_t* size) {
  __sanitizer_finish_switch_fiber(kept, bottom, size);
}
#else
void leave_stack(void** /*keep*/, const void* /*bottom*/, std::size_t /*size*/) {}
void reach_stack(void* /*kept*/, const void** /*bottom*/, std::size_t* /*size*/) {}
#endif

}  // namespace

struct Fiber::Contexts {
  ucontext_t inside{}, outside{};
  void* kept_inside = nullptr;
  void* kept_outside = nullptr;
  const void* outside_bottom = nullptr;
  std::size_t outside_size = 0;
};

Fiber::Fiber(std::function<void()> body)
    : body_(std::move(body)), stack_(new std::byte[kStack]), contexts_(std::make_unique<Contexts>()) {
  getcontext(&contexts_->inside);
  contexts_->inside.uc_stack.ss_sp = stack_.get();
  contexts_->inside.uc_stack.ss_size = kStack;
  contexts_->inside.uc_link = &contexts_->outside;
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&contexts_->inside, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self >> 32U),
              static_cast<unsigned>(self));
}

Fiber::~Fiber() = default;

// makecontext passes ints only.
void Fiber::enter(unsigned high, unsigned low) {
  reinterpret_cast<Fiber*>(std::uintptr_t{high} << 32U | low)->run();
}

void Fiber::run() {
  reach_stack(nullptr, &contexts_->outside_bottom, &contexts_->outside_size);
  body_();
  done_ = true;
  leave_stack(nullptr, contexts_->outside_bottom, contexts_->outside_size);
}

void Fiber::resume() {
  leave_stack(&contexts_->kept_outside, stack_.get(), kStack);
  swapcontext(&contexts_->outside, &contexts_->inside);
  reach_stack(contexts_->kept_outside, nullptr, nullptr);
}

void Fiber::pause() {
  leave_stack(&contexts_->kept_inside, contexts_->outside_bottom, contexts_->outside_size);
  swapcontext(&contexts_->inside, &contexts_->outside);
  reach_stack(contexts_->kept_inside, &contexts_->outside_bottom, &contexts_->outside_size);
}

}  // namespace datasync::model
