#pragma once
// The chart as helm renders it.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.hpp"

namespace datasync::test {

using Json = nlohmann::json;

/// How a program ended and what it wrote.
struct Ran {
  int code = -1;  ///< -1: not in time
  std::string text;
};

/// Runs helm and promtool (tools/kube-tools) with files in a folder of its own.
class Chart {
 public:
  /// Runs a program of tools/kube-tools.
  [[nodiscard]] Ran run(const std::string& program, const std::vector<std::string>& args) const;
  /// `helm template` in the namespace datasync-system, release datasync. `values` is a file of values in YAML.
  [[nodiscard]] Ran render(const std::string& values, const std::string& kube_version = "1.34.0") const;
  /// The objects that it renders. Throws with helm's text when helm refuses.
  [[nodiscard]] const std::vector<Json>& objects(const std::string& values) const;
  /// The one object of a kind whose name ends so; null: there is none.
  [[nodiscard]] Json object(const std::string& values, const std::string& kind, const std::string& ending = {}) const;
  /// The rules of the PrometheusRule, as installed: {"groups": [...]}.
  [[nodiscard]] Json rules() const;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  test::TempDir folder_;
  mutable std::map<std::string, std::vector<Json>> made_;  ///< by values: helm runs once for each
};

}  // namespace datasync::test
