#pragma once
// The engine of databases in this process.

#include <map>
#include <memory>
#include <string>

#include "agents/source/memory/database.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::memory {

/// By "host:port".
using Servers = std::map<std::string, std::shared_ptr<Database>>;

/// Thread-safe. A server that is not there is SourceUnreachable.
std::unique_ptr<Engine> make_engine(Servers servers);

/// One server. Errors: Database::down.
base::Result<std::unique_ptr<Server>> connect(std::shared_ptr<Database> database);

/// Its changes. Errors: Database::down.
base::Result<std::unique_ptr<ChangeStream>> open_stream(std::shared_ptr<Database> database,
                                                        const StreamOptions& options);

}  // namespace datasync::source::memory
