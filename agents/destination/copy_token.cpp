#include "agents/destination/copy_token.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/config/orders.hpp"

namespace datasync::apply {

std::string copy_hint(const std::vector<std::string>& sources) {
  return fmt::format("annotate the DataSync with {}{}", kCopyTables, config::copy_value(sources));
}

base::Error with_token(base::Error error, const std::string& token) {
  const auto at = error.what.find(kCopyTables);
  if (at == std::string::npos) return error;
  const auto end = std::min(error.what.find_first_of(" \n;", at), error.what.size());
  if (error.what.find('#', at) >= end) error.what.insert(end, "#" + token);
  return error;
}

}  // namespace datasync::apply
