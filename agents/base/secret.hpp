#pragma once
// Secrets are read from files, as Kubernetes mounts them, and never appear in a log, an argument list, a status or an
// event.

#include <filesystem>
#include <string>
#include <utility>

#include "agents/base/result.hpp"

namespace datasync::base {

/// A string that prints as ***. Only `reveal` returns the text; call it only where a library needs the text.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

inline std::string_view format_as(const Secret&) {
  return "***";
}

/// Reads the secret's file at each call (mounted secrets rotate) and drops one line end (LF or CR LF) at its end.
/// Errors: SecretNotFound naming the path.
Result<Secret> read_secret(const std::filesystem::path& file);

}  // namespace datasync::base
