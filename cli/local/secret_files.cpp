#include "cli/local/secret_files.hpp"

#include <algorithm>

#include "operator/desired/desired.hpp"

namespace datasync::cli {

std::vector<std::filesystem::path> secret_files(const api::DataSync& resource) {
  std::vector<std::filesystem::path> out;
  const auto add = [&out](const config::SecretRef& s) {
    const auto file = std::filesystem::path(s.secret_name) / s.key;
    if (s.set() && std::ranges::find(out, file) == out.end()) out.push_back(file);
  };
  const auto add_all = [&add](const config::Credentials& c, const config::ServerTls& t) {
    add(c.username);
    add(c.password);
    add(t.ca);
  };
  const desired::Runtime runtime;
  if (resource.spec.source) {
    const auto c = desired::capture_config(resource, runtime);
    add_all(c.credentials, c.tls);
  }
  if (resource.spec.destination) {
    const auto a = desired::apply_config(resource, runtime);
    add_all(a.credentials, a.tls);
  }
  const auto channel = desired::channel_config(resource.spec.channel);
  for (const auto* s :
       {&channel.tls_ca, &channel.tls_certificate, &channel.tls_key, &channel.sasl_username, &channel.sasl_password}) {
    add(*s);
  }
  return out;
}

}  // namespace datasync::cli
