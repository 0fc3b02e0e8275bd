#pragma once
// The values of annotations that name tables or transactions.

#include <string>
#include <string_view>
#include <vector>

namespace datasync::config {

/// A wish that tables are copied again: "shop.orders,shop.items#token". What follows the last '#' makes the value
/// another one, so that the same tables can be asked for again. A table whose name has a '#' needs a token, and one
/// whose name has a comma cannot be named.
struct CopyOrder {
  std::vector<std::string> tables;  ///< qualified source names
  std::string token;
};
CopyOrder copy_order(std::string_view value);

/// The parts between the commas; none of an empty text.
std::vector<std::string> names_by_comma(std::string_view text);

}  // namespace datasync::config
