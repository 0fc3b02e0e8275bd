#pragma once
// What the agents say on /status, asked again and again by threads of its own: a pod that does not answer holds up
// neither a worker nor the other pods for longer than its deadline.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agents/base/clock.hpp"
#include "operator/decide/decide.hpp"
#include "operator/kube/api.hpp"

namespace datasync::reconcile {

/// Where an agent of a resource listens.
struct Target {
  std::string agent;
  std::string pod;
  std::string host;
  int port = 0;
  bool operator==(const Target&) const = default;
};

/// The pods of one resource that can be asked.
std::vector<Target> targets_of(const std::vector<kube::Json>& pods);

/// Thread-safe.
class AgentPoller {
 public:
  struct Options {
    unsigned threads = 8;  ///< pods that do not answer occupy some of them
    base::Millis every{5'000};
    base::Millis connect{1'000};
    base::Millis answer{2'000};
    base::Millis figures_every{60'000};  ///< a change of figures alone is told this seldom
  };
  /// `changed` is called from the asking threads when what an agent says has changed; it must be quick.
  AgentPoller(Options options, std::function<void(const kube::ObjectKey&)> changed);
  ~AgentPoller();
  AgentPoller(const AgentPoller&) = delete;
  AgentPoller& operator=(const AgentPoller&) = delete;

  void stop();  ///< waits for the threads
  /// These are asked from now on, and no others of the resource.
  void watch(const kube::ObjectKey& resource, const std::vector<Target>& targets);
  void forget(const kube::ObjectKey& resource) { watch(resource, {}); }
  /// By agent. A view is kept over two failures in a row.
  [[nodiscard]] std::map<std::string, decide::Report> of(const kube::ObjectKey& resource) const;

 private:
  using Id = std::pair<kube::ObjectKey, std::string>;  ///< resource and agent
  struct Asked {
    Target target;
    decide::Report report;
    decide::Report told;  ///< as it was when `changed` was last called
    base::SteadyTime due, told_at;
    bool running = false;
    unsigned failures = 0;
  };
  void work(std::stop_token stop);
  void serve(const Id& id, const Target& target);
  void settle(const Id& id, const Target& target, decide::Report answer);
  [[nodiscard]] decide::Report ask(const Target& target) const;

  Options options_;
  std::function<void(const kube::ObjectKey&)> changed_;
  mutable std::mutex mutex_;
  std::condition_variable_any wakes_;
  std::map<Id, Asked> asked_;
  std::uint64_t changes_ = 0;  ///< of what is watched
  std::minstd_rand random_;
  std::vector<std::jthread> threads_;  ///< last: they end before what they use
};

}  // namespace datasync::reconcile
