#include "tests/integration/destination_engines.hpp"

#include <utility>

#include "agents/destination/mariadb/engine.hpp"
#include "agents/destination/memory/memory.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

class MariaDbDestination final : public DestinationUnderTest {
 public:
  MariaDbDestination() : server_(folder_.path(), {.name = "destination"}), engine_(apply::make_mariadb_engine()) {
    server_.create_writer("writer", "secret");
    config_.credentials = write_credentials(folder_.path() / "secrets", "writer", "writer", "secret");
    config_.common.secrets_dir = folder_.path() / "secrets";
    config_.destination = {"127.0.0.1", server_.port()};
    config_.ledger_database = "ledger_of_test";
  }
  [[nodiscard]] const apply::DestinationEngine& engine() const override { return *engine_; }
  [[nodiscard]] config::Apply config() const override { return config_; }

 private:
  TempDir folder_;
  MariaDbServer server_;
  std::unique_ptr<apply::DestinationEngine> engine_;
  config::Apply config_;
};

class MemoryDestination final : public DestinationUnderTest {
 public:
  [[nodiscard]] const apply::DestinationEngine& engine() const override { return *engine_; }
  [[nodiscard]] config::Apply config() const override { return {.ledger_database = "ledger_of_test"}; }

 private:
  static constexpr std::chrono::seconds kPatience{20};
  std::unique_ptr<apply::DestinationEngine> engine_ =
      apply::make_memory_engine(std::make_shared<apply::MemoryDatabase>(kPatience));
};

}  // namespace

std::unique_ptr<DestinationUnderTest> mariadb_destination() {
  return std::make_unique<MariaDbDestination>();
}
std::unique_ptr<DestinationUnderTest> memory_destination() {
  return std::make_unique<MemoryDestination>();
}

}  // namespace datasync::test
