#include "agents/base/secret.hpp"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace datasync::base {

Result<Secret> read_secret(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(Reason::SecretNotFound, fmt::format("secret file {} cannot be read", file.string()));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  // Remove one line end, as editors leave it; editors on Windows write two characters.
  if (text.ends_with('\n')) {
    text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }
  return Secret(std::move(text));
}

}  // namespace datasync::base
