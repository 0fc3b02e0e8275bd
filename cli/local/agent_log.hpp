#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace datasync::cli {

/// Writes an agent's lines to a file, which is renamed to FILE.1 when it has reached a size. With a prefix, the lines
/// are also written to stderr, except changes of state, which the screen shows. Use it from one thread at a time.
class AgentLog {
 public:
  static constexpr std::size_t kRotateAt = 16U << 20U;
  AgentLog(std::filesystem::path file, std::string prefix, std::size_t rotate_at = kRotateAt);
  /// Writes one line.
  void line(std::string_view text);

 private:
  struct Close {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };
  void open();

  std::filesystem::path file_;
  std::string prefix_;
  std::size_t rotate_at_;
  std::size_t written_ = 0;
  std::unique_ptr<std::FILE, Close> out_;
};

}  // namespace datasync::cli
