#include "agents/destination/mariadb/engine.hpp"

#include <utility>

#include "agents/destination/mariadb/dialect.hpp"
#include "agents/destination/mariadb/server.hpp"

namespace datasync::apply {
namespace {

class MariaDbEngine final : public DestinationEngine {
 public:
  base::Result<std::unique_ptr<DestinationServer>> connect(const config::Apply& config,
                                                           std::chrono::seconds read_timeout) const override {
    DS_ASSIGN(auto options, sql::connect_options(sql::Role::Destination, config.destination, config.credentials,
                                                 config.tls, config.common.secrets_dir));
    options.found_rows = true;
    options.read_timeout = read_timeout;
    DS_ASSIGN(auto connection, sql::Connection::open(options));
    return std::unique_ptr<DestinationServer>(std::make_unique<MariaDbServer>(std::move(connection)));
  }
  [[nodiscard]] const Dialect& dialect() const noexcept override { return dialect_; }

 private:
  MariaDbDialect dialect_;
};

}  // namespace

std::unique_ptr<DestinationEngine> make_mariadb_engine() {
  return std::make_unique<MariaDbEngine>();
}

}  // namespace datasync::apply
