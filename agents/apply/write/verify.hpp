#pragma once

#include <functional>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/destination/destination.hpp"
#include "agents/message/digest.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

/// Count and checksum of a destination table in one consistent read, over the columns of the source's schema. `beat` is
/// called now and then; an error it returns ends the reading. Values of a column that is wider than
/// the source's are compared as the source has them. Errors: DestinationSchemaMismatch when a column is of another
/// kind.
base::Result<message::TableDigest> digest_table(DestinationServer& connection, const message::TableSchema& schema,
                                                std::string_view database, std::string_view table,
                                                const std::function<base::Result<void>()>& beat);

}  // namespace datasync::apply
