#pragma once
// What an agent's message recommends, for tests that do exactly that.

#include <string>
#include <vector>

namespace datasync::test {

/// The statements about tables that a message has, in their order: each ends at a semicolon, at a full stop or at the
/// end, outside of quotes.
std::vector<std::string> recommended_statements(const std::string& message);

/// The value that it gives an annotation, e.g. "copy-tables"; empty when it names none.
std::string recommended_annotation(const std::string& message, const std::string& annotation);

}  // namespace datasync::test
