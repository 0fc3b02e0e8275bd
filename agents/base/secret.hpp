#pragma once
// Secrets come from files, as Kubernetes mounts them, and never reach a log, an argument list, a status or an event.

#include <filesystem>
#include <string>
#include <utility>

#include "agents/base/result.hpp"

namespace datasync::base {

/// A string that prints as ***. Only `reveal` gives the text; call it where a library needs it and nowhere else.
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

/// Reads a secret's file afresh (mounted secrets rotate); one line end (LF or CR LF) at its end is dropped.
/// Errors: SecretNotFound naming the path.
Result<Secret> read_secret(const std::filesystem::path& file);

}  // namespace datasync::base
