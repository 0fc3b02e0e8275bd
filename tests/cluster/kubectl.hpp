#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace datasync::test {

/// kubectl and helm for one cluster, as its administrator. A command that fails throws with the program's words.
class Kubectl {
 public:
  Kubectl() = default;
  /// `scratch` takes the programs' caches.
  Kubectl(std::filesystem::path kubeconfig, std::filesystem::path scratch);

  [[nodiscard]] const std::filesystem::path& kubeconfig() const noexcept { return kubeconfig_; }
  [[nodiscard]] const std::filesystem::path& scratch() const noexcept { return scratch_; }

  std::string run(std::vector<std::string> args, const std::string& input = "",
                  std::chrono::milliseconds limit = std::chrono::seconds(120)) const;
  std::string helm(std::vector<std::string> args, std::chrono::milliseconds limit = std::chrono::seconds(180)) const;
  /// kubectl apply of YAML or JSON text, as a user does it.
  void apply(const std::string& text) const;
  /// `get ARGS -o json`; null when the thing is not there. Throws when the API server does not answer: that proves
  /// nothing.
  [[nodiscard]] nlohmann::json get(std::vector<std::string> args) const;
  [[nodiscard]] bool answers() const;

 private:
  std::filesystem::path kubeconfig_, scratch_;
};

/// All conditions of an object, and one of them; an empty list and null when it has none.
[[nodiscard]] nlohmann::json conditions_of(const nlohmann::json& object);
[[nodiscard]] nlohmann::json condition_of(const nlohmann::json& object, const std::string& type);
/// The condition Ready is True.
[[nodiscard]] bool is_ready(const nlohmann::json& object);

/// How often a pod's container was started again; -1 when it has not begun yet.
[[nodiscard]] int restarts_of(const nlohmann::json& pod);

/// Like `eventually`, for predicates that ask a cluster: each question starts a program, so pauses are longer, and a
/// question that failed is asked again.
template <class Predicate>
[[nodiscard]] bool in_time(Predicate predicate, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const auto asked = [&predicate] {
    try {
      return predicate();
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  while (!asked()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  return true;
}

}  // namespace datasync::test
