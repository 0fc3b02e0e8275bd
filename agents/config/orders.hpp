#pragma once
// Parses the values of annotations that name tables or transactions.

#include <string>
#include <string_view>
#include <vector>

namespace datasync::config {

/// A request that tables are copied again: "shop.orders,shop.items#token". What follows the last '#' makes the value
/// another one, so that the same tables can be requested again. In a name, %XX is the character with that hexadecimal
/// code: a comma is %2C, a '#' %23. Any other '%' is itself.
struct CopyOrder {
  std::vector<std::string> tables;  ///< qualified source names
  std::string token;
};
/// Parses the value of a copy request.
CopyOrder copy_order(std::string_view value);

/// The names as the value of an annotation, without a token: `copy_order` reads it back. Characters that end a name, or
/// the value where it stands in a sentence, are written as %XX.
std::string copy_value(const std::vector<std::string>& tables);

/// Returns the parts between the commas; none for an empty text.
std::vector<std::string> names_by_comma(std::string_view text);

}  // namespace datasync::config
