#pragma once
// The engine of databases in this process.

#include <memory>

#include "agents/destination/destination.hpp"
#include "agents/destination/memory/database.hpp"

namespace datasync::apply {

/// Every address that it connects to is this database. Thread-safe.
std::unique_ptr<DestinationEngine> make_memory_engine(std::shared_ptr<MemoryDatabase> database);

}  // namespace datasync::apply
