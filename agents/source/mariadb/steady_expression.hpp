#pragma once
// Whether the expression of a generated column gives the same value at any time and in any session. It is proved: the
// whole text is read, and only operators, functions and conversions that are known to be steady are allowed.

#include <string>
#include <string_view>

#include "agents/message/schema.hpp"

namespace datasync::source::mariadb {

/// What in the expression of `column` is not proved to be steady: "CURDATE()", "column seen of type TIMESTAMP". Empty:
/// it is steady. `expression`: as information_schema.columns has it. Pure.
std::string unsteady_part(std::string_view expression, const message::Column& column,
                          const message::TableSchema& table);

}  // namespace datasync::source::mariadb
