#include "agents/destination/engines/engines.hpp"

#include "agents/destination/mariadb/engine.hpp"

namespace datasync::apply {

base::Result<std::unique_ptr<DestinationEngine>> make_engine(config::Engine engine) {
  if (engine == config::Engine::MariaDB) return make_mariadb_engine();
  return base::Error(base::Reason::ConfigInvalid, "destination.engine: this version writes to MariaDB only");
}

}  // namespace datasync::apply
