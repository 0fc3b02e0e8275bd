#include "agents/source/engines/engines.hpp"

#include "agents/source/mariadb/source.hpp"

namespace datasync::source {

base::Result<std::unique_ptr<Engine>> make_engine(const config::Capture& config, std::uint64_t max_row) {
  if (config.engine == config::Engine::MariaDB) return mariadb::make_engine(config, max_row);
  return base::Error(base::Reason::ConfigInvalid, "source.engine: this version captures from MariaDB only");
}

}  // namespace datasync::source
