#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/cluster/expected_events.hpp"
#include "tests/cluster/kubectl.hpp"

namespace datasync::test {

/// Notes every Ready that the DataSyncs of a cluster ever show, as a user who watches them would see it
/// (`kubectl get datasyncs --watch`), also over times without an API server. Thread-safe.
class Watcher {
 public:
  Watcher(const Kubectl& kubectl, std::filesystem::path log);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() = default;

  /// How much was seen so far.
  [[nodiscard]] std::size_t mark() const;
  /// Every resource that was ever seen.
  [[nodiscard]] std::set<std::string> names() const;
  /// Ready of a resource as it was seen after `mark`, in order, repeats in a row left out.
  [[nodiscard]] std::vector<Shown> shown(const std::string& resource, std::size_t mark) const;

 private:
  void watch(const std::stop_token& stop) const;
  [[nodiscard]] std::vector<std::string> lines() const;

  const Kubectl& kubectl_;
  std::filesystem::path log_;
  std::jthread thread_;
};

}  // namespace datasync::test
