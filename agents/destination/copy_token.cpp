#include "agents/destination/copy_token.hpp"

#include <algorithm>
#include <string_view>

namespace datasync::apply {

base::Error with_token(base::Error error, const std::string& token) {
  constexpr std::string_view kName = "datasync.dev/copy-tables=";
  const auto at = error.what.find(kName);
  if (at == std::string::npos) return error;
  const auto end = std::min(error.what.find_first_of(" \n;", at), error.what.size());
  if (error.what.find('#', at) >= end) error.what.insert(end, "#" + token);
  return error;
}

}  // namespace datasync::apply
