#include "tests/cluster/servers.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

constexpr const char* kDatabase = "shop";
constexpr std::uint16_t kSqlPort = 3306, kKafkaPort = 9092;

WorkloadOptions traffic_options() {
  WorkloadOptions options;
  options.database = kDatabase;
  options.per_second = 60;  // for the length of the test, on two cores that also run two clusters
  return options;
}

/// A number, or 0 while the server or the table is not there.
std::int64_t number_or_zero(MariaDbServer& server, const std::string& sql) {
  try {
    const auto text = server.value(sql);
    return text.empty() ? 0 : std::stoll(text);
  } catch (const SqlError&) {
    return 0;
  }
}

std::int64_t last_audit(MariaDbServer& server) {
  return number_or_zero(server, fmt::format("SELECT MAX(seq) FROM {}.audit", kDatabase));
}

std::int64_t last_order(MariaDbServer& server) {
  return number_or_zero(server, fmt::format("SELECT MAX(id) FROM {}.orders", kDatabase));
}

std::vector<TablePair> pairs(const std::vector<std::string>& tables) {
  std::vector<TablePair> out;
  for (const auto& table : tables) out.push_back({.source = table, .destination = ""});
  return out;
}

}  // namespace

Servers::Servers(const std::filesystem::path& folder, std::string address)
    : folder_(folder),
      address_(std::move(address)),
      shop_authority_(folder / "shop-ca", "shop databases"),
      recovery_authority_(folder / "recovery-ca", "recovery databases"),
      office_authority_(folder / "office-ca", "office databases"),
      kafka_authority_(folder / "kafka-ca", "kafka") {
  auto broker = std::async(std::launch::async, [this] { start_kafka(); });
  primary_ = start("shop-db-1", false, shop_authority_, "shop-db-1.shop");
  Workload::create(*primary_, traffic_options());
  for (const char* name : {"shop-db-2", "shop-db-3"}) {
    replicas_.push_back(start(name, true, shop_authority_, fmt::format("{}.shop", name)));
    replicas_.back()->replicate_from(*primary_);
  }
  recovery_ = start("recovery-db", false, recovery_authority_, "shop-db.dr");
  office_ = start("office-db", false, office_authority_, "db.office");
  make_users();
  Workload::create_unguarded_audit(*recovery_, kDatabase);
  traffic_ = std::make_unique<Workload>(primary_->port(), traffic_options());
  broker.get();
}

std::unique_ptr<MariaDbServer> Servers::start(const std::string& name, bool read_only,
                                              const CertificateAuthority& authority, const std::string& host) {
  MariaDbOptions options;
  options.name = name;
  options.read_only = read_only;
  options.address = address_;
  options.tls = MariaDbTls{authority.issue(name, {"DNS:" + host}), authority.certificate()};
  return std::make_unique<MariaDbServer>(folder_, std::move(options));
}

void Servers::start_kafka() {
  KafkaOptions options;
  options.address = address_;
  options.advertised_host = "kafka.kafka";
  options.advertised_port = kKafkaPort;
  options.security = KafkaSecurity{.certificate = kafka_authority_.issue("broker", {"DNS:kafka.kafka"}),
                                   .client_ca = kafka_authority_.certificate(),
                                   .scram_users = {{kafka_user().user, kafka_user().password}}};
  kafka_ = std::make_unique<KafkaBroker>(folder_, std::move(options));
}

void Servers::rotate_kafka_password(const std::string& password) {
  kafka_password_ = password;
  kafka_->set_scram_user(kafka_user().user, password);
}

void Servers::make_users() {
  primary_->create_reader(reader().user, reader().password, Require::Tls);
  for (auto* server : {recovery_.get(), office_.get()}) {
    server->create_writer(writer().user, writer().password, Require::Tls);
  }
}

std::vector<ServerName> Servers::names() const {
  return {{"shop", "shop-db-2", kSqlPort, replicas_.at(0)->port()},
          {"shop", "shop-db-3", kSqlPort, replicas_.at(1)->port()},
          {"dr", "shop-db", kSqlPort, recovery_->port()},
          {"office", "db", kSqlPort, office_->port()},
          {"kafka", "kafka", kKafkaPort, kafka_->port()}};
}

std::vector<std::string> Servers::bank_tables() {
  return Workload::bank_tables(kDatabase);
}
std::vector<std::string> Servers::shop_tables() {
  return Workload::shop_tables(kDatabase);
}

Servers::Mark Servers::source_mark() {
  // Always there: nothing here breaks the primary. An error is an error, and no mark of zero that all have reached.
  return {primary_->number(fmt::format("SELECT MAX(seq) FROM {}.audit", kDatabase)),
          primary_->number(fmt::format("SELECT MAX(id) FROM {}.orders", kDatabase))};
}

Servers::Mark Servers::reached_at_recovery() {
  return {last_audit(*recovery_), last_order(*recovery_)};
}

Servers::Mark Servers::reached() {
  const auto there = reached_at_recovery();
  return {there.audit, std::min(there.order, last_order(*office_))};
}

bool Servers::catch_up(milliseconds limit) {
  const auto now = source_mark();
  return eventually(
      [&] {
        const auto there = reached();
        return there.audit >= now.audit && there.order >= now.order;
      },
      limit);
}

CompareResult Servers::compare_all() {
  auto source = primary_->connect();
  auto recovery = recovery_->connect();
  auto office = office_->connect();
  auto result = compare(source, recovery, pairs(Workload::tables(kDatabase)));
  result.add(compare(source, office, pairs(shop_tables())));
  return result;
}

std::int64_t Servers::repeated_audit_rows() {
  auto session = recovery_->connect();
  return test::repeated_audit_rows(session, kDatabase);
}

}  // namespace datasync::test
