#pragma once
// Functions that take turns on one thread: what runs next is the test's choice, so a seed gives the same history again.

#include <cstddef>
#include <functional>
#include <memory>

namespace datasync::model {

/// A function with a stack of its own. `resume` runs it until it calls `pause` or returns. Run it to its end before it
/// is destroyed: what is on its stack is not cleaned up otherwise. One thread.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume();  ///< from outside
  void pause();   ///< from inside
  [[nodiscard]] bool done() const noexcept { return done_; }

 private:
  struct Contexts;
  static void enter(unsigned high, unsigned low);
  void run();

  std::function<void()> body_;
  std::unique_ptr<std::byte[]> stack_;
  std::unique_ptr<Contexts> contexts_;
  bool done_ = false;
};

}  // namespace datasync::model
