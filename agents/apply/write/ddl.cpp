#include "agents/apply/write/ddl.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace datasync::apply {
namespace {

constexpr auto kBeat = std::chrono::milliseconds(200);

}  // namespace

base::Result<void> run_watched(DestinationServer& connection, const std::function<base::Result<void>()>& work,
                               const Waiting& waiting) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<base::Result<void>> result;
  std::jthread runner([&] {
    auto done = work();
    const std::lock_guard lock(mutex);
    result.emplace(std::move(done));
    ended.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!ended.wait_for(lock, kBeat, [&] { return result.has_value(); })) {
    lock.unlock();
    auto goes_on = waiting ? waiting() : base::Result<void>{};
    if (!goes_on) {
      connection.abort();
      runner.join();
      return goes_on;
    }
    lock.lock();
  }
  return std::move(*result);
}

base::Result<void> run_ddl(DestinationServer& connection, const std::string& statement, const Waiting& waiting) {
  return run_watched(
      connection, [&] { return connection.define(statement); }, waiting);
}

base::Result<bool> ask(DestinationServer& connection, const std::function<base::Result<bool>()>& question,
                       const Waiting& waiting) {
  bool answer = false;
  DS_TRY(run_watched(
      connection,
      [&]() -> base::Result<void> {
        DS_ASSIGN(answer, question());
        return {};
      },
      waiting));
  return answer;
}

}  // namespace datasync::apply
