#include "tests/cluster/manifests.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using Json = nlohmann::json;

Json object(const char* version, const char* kind, Json metadata) {
  return {{"apiVersion", version}, {"kind", kind}, {"metadata", std::move(metadata)}};
}

Json tls(const char* ca_secret) {
  return {{"mode", "VerifyIdentity"}, {"caSecretName", ca_secret}};
}

Json source() {
  Json replicas;
  for (const char* host : {"shop-db-2.shop", "shop-db-3.shop"}) replicas.push_back({{"host", host}, {"port", 3306}});
  return {{"engine", "MariaDB"},
          {"replicas", replicas},
          {"credentials", {{"secretName", "shop-reader"}}},
          {"tls", tls("shop-ca")},
          {"types",
           {{{"name", "bank"}, {"tables", Servers::bank_tables()}},
            {{"name", "shop"}, {"tables", Servers::shop_tables()}}}}};
}

Json channel(const char* topic) {
  return {{"bootstrapServers", "kafka.kafka:9092"},
          {"topic", topic},
          {"replicationFactor", 1},
          {"tls", {{"caSecretName", "kafka-ca"}}},
          {"sasl", {{"mechanism", "SCRAM-SHA-512"}, {"secretName", "kafka-user"}}}};
}

Json destination(const char* host, const char* credentials, const char* ca_secret) {
  return {{"engine", "MariaDB"},
          {"host", host},
          {"port", 3306},
          {"credentials", {{"secretName", credentials}}},
          {"tls", tls(ca_secret)}};
}

std::string data_sync(const std::string& name, Json spec) {
  auto out = object("datasync.dev/v1alpha1", "DataSync", {{"name", name}, {"namespace", kNamespace}});
  out["spec"] = std::move(spec);
  return out.dump(2);
}

std::string credentials(const std::string& name, const Account& account) {
  return secret(name, {{"username", account.user}, {"password", account.password}});
}

std::string authority(const std::string& name, const CertificateAuthority& ca) {
  return secret(name, {{"ca.crt", read_file(ca.certificate())}});
}

std::string list_of(const std::vector<Json>& items) {
  return Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}}.dump(2);
}

}  // namespace

std::string restricted_namespace(const std::string& name) {
  return object("v1", "Namespace", {{"name", name}, {"labels", {{"pod-security.kubernetes.io/enforce", "restricted"}}}})
      .dump(2);
}

std::string service_to(const ServerName& server, const std::string& address) {
  auto service = object("v1", "Service", {{"name", server.service}, {"namespace", server.ns}});
  service["spec"] = {{"ports", {{{"name", "main"}, {"port", server.port}}}}};
  auto slice = object("discovery.k8s.io/v1", "EndpointSlice",
                      {{"name", server.service},
                       {"namespace", server.ns},
                       {"labels", {{"kubernetes.io/service-name", server.service}}}});
  slice["addressType"] = "IPv4";
  slice["ports"] = {{{"name", "main"}, {"port", server.target_port}}};
  slice["endpoints"] = {{{"addresses", {address}}}};
  return list_of({object("v1", "Namespace", {{"name", server.ns}}), service, slice});
}

std::string secret(const std::string& name, const std::map<std::string, std::string>& values) {
  auto out = object("v1", "Secret", {{"name", name}, {"namespace", kNamespace}});
  out["stringData"] = values;
  return out.dump(2);
}

std::map<std::string, std::string> secrets(const Servers& servers) {
  return {{"shop-reader", credentials("shop-reader", Servers::reader())},
          {"dr-writer", credentials("dr-writer", Servers::writer())},
          {"office-writer", credentials("office-writer", Servers::writer())},
          {"kafka-user", credentials("kafka-user", servers.kafka_user())},
          {"shop-ca", authority("shop-ca", servers.shop_authority())},
          {"dr-ca", authority("dr-ca", servers.recovery_authority())},
          {"office-ca", authority("office-ca", servers.office_authority())},
          {"kafka-ca", authority("kafka-ca", servers.kafka_authority())}};
}

std::string capture_only() {
  return data_sync("shop", {{"source", source()}, {"channel", channel("shop")}});
}

std::string full_resource() {
  return data_sync("backoffice", {{"source", source()},
                                  {"channel", channel("backoffice")},
                                  {"destination", destination("db.office", "office-writer", "office-ca")},
                                  {"types", {"shop"}}});
}

std::string apply_only(const std::string& type) {
  return data_sync(type, {{"channel", channel("shop")},
                          {"destination", destination("shop-db.dr", "dr-writer", "dr-ca")},
                          {"types", {type}}});
}

}  // namespace datasync::test
