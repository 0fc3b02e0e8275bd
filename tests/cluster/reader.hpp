#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace datasync::test {

/// A user with the documentation at a shell: types its blocks, one after the other, in one folder. What a block
/// exports the next one sees. Home is the folder too, and ~/.local/bin is on the PATH, before kubectl and helm.
class Reader {
 public:
  /// Makes `home` with what the commands name of the sources: charts, samples, programs.
  Reader(std::filesystem::path home, const std::filesystem::path& kubeconfig);

  [[nodiscard]] const std::filesystem::path& home() const noexcept { return home_; }

  struct Answer {
    int code = 0;
    std::string output;  ///< of both streams, as on a terminal
  };
  /// Runs it by bash, to its end or to the first command that fails. Ended after `limit`, with code 124.
  [[nodiscard]] Answer type(const std::string& block, std::chrono::seconds limit = std::chrono::seconds(240)) const;

 private:
  std::filesystem::path home_, state_;
  std::filesystem::path kubeconfig_;
  std::string path_;
};

}  // namespace datasync::test
