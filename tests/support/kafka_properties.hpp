#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"

namespace datasync::test {

/// What the broker asks of its clients. With users of either kind the protocol is SASL_SSL, without any it is SSL.
struct KafkaSecurity {
  Certificate certificate;                         ///< the broker's own
  std::filesystem::path client_ca;                 ///< whose client certificates it takes
  bool client_certificates = false;                ///< a client must show one of client_ca
  std::map<std::string, std::string> scram_users;  ///< SCRAM-SHA-512: name, password
  std::map<std::string, std::string> plain_users;  ///< PLAIN
  [[nodiscard]] bool sasl() const noexcept { return !scram_users.empty() || !plain_users.empty(); }
};

struct KafkaOptions {
  std::uint32_t heap_mb = 384;
  std::map<std::string, std::string> properties;  ///< added to server.properties, or replacing a line of it
  /// Where clients connect when that is not the broker's own port: the port of a Proxy in front of it. 0: its own port.
  std::uint16_t advertised_port = 0;
  bool outlives = false;                  ///< continues when this program ends
  std::string address = "127.0.0.1";      ///< clients connect here
  std::string advertised_host;            ///< the name that clients use; empty: the address
  std::optional<KafkaSecurity> security;  ///< without it clients speak plain text
};

struct KafkaPorts {
  std::uint16_t client = 0, internal = 0, controller = 0;
};

/// Properties of a broker on which users may do all on a topic without rules, and its own tools all everywhere.
std::map<std::string, std::string> kafka_authorizer();

/// The PEM file with the broker's key and certificate, in its folder; `version` counts replacements.
std::filesystem::path keystore_file(const std::filesystem::path& folder, int version);
/// Writes that file: Kafka wants both in one.
void write_keystore(const std::filesystem::path& file, const Certificate& certificate);

/// The text of server.properties for a broker in `folder`: listener CLIENT as the options say, listener INTERNAL in
/// plain text on 127.0.0.1 for the broker's own tools.
std::string kafka_properties(const KafkaOptions& options, const KafkaPorts& ports, const std::filesystem::path& folder);
/// Arguments of `kafka-storage format` that make the SCRAM users.
std::vector<std::string> kafka_scram_arguments(const KafkaOptions& options);

}  // namespace datasync::test
