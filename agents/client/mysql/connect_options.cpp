#include <filesystem>

#include <fmt/core.h>

#include "agents/client/mysql/connection.hpp"

namespace datasync::sql {

base::Result<ConnectOptions> connect_options(Role role, const config::HostPort& server,
                                             const config::Credentials& credentials, const config::ServerTls& tls,
                                             const std::filesystem::path& secrets_dir) {
  const auto path = [&secrets_dir](const config::SecretRef& ref) { return secrets_dir / ref.secret_name / ref.key; };
  DS_ASSIGN(const base::Secret user, base::read_secret(path(credentials.username)));
  DS_ASSIGN(base::Secret password, base::read_secret(path(credentials.password)));
  ConnectOptions options;
  options.role = role;
  options.server = server;
  options.user = user.reveal();
  options.password = std::move(password);
  options.tls = tls.mode;
  if (tls.ca.set()) {
    options.tls_ca_file = path(tls.ca).string();
    std::error_code error;  // the library's error would not name the missing file
    if (!std::filesystem::exists(options.tls_ca_file, error))
      return base::Error(base::Reason::SecretNotFound, fmt::format("secret file {} is missing", options.tls_ca_file));
  }
  return options;
}

}  // namespace datasync::sql
