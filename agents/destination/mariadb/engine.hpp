#pragma once

#include <memory>

#include "agents/destination/destination.hpp"

namespace datasync::apply {

/// MariaDB as a destination.
std::unique_ptr<DestinationEngine> make_mariadb_engine();

}  // namespace datasync::apply
