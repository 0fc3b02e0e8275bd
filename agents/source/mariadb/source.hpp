#pragma once
// MariaDB as the engine of a source.

#include <cstdint>
#include <memory>

#include "agents/client/mysql/connection.hpp"
#include "agents/config/config.hpp"
#include "agents/source/source.hpp"

namespace datasync::source::mariadb {

/// The servers of one capture. `config` must outlive it. `max_row`: bytes of the largest row to hold. Thread-safe.
std::unique_ptr<Engine> make_engine(const config::Capture& config, std::uint64_t max_row);

/// One server. Errors: see Engine::connect.
base::Result<std::unique_ptr<Server>> connect(const sql::ConnectOptions& server);

/// A stream over a connection of its own. Errors: see Engine::open_stream.
base::Result<std::unique_ptr<ChangeStream>> open_stream(const sql::ConnectOptions& server,
                                                        const StreamOptions& options);

}  // namespace datasync::source::mariadb
