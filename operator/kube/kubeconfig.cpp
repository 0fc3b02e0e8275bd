#include <cstddef>
#include <initializer_list>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "agents/config/value.hpp"
#include "operator/api/yaml.hpp"
#include "operator/kube/access.hpp"

namespace datasync::kube {
namespace {

using base::Error;
using base::Reason;
using base::Result;
using config::Value;

/// A scalar as text: YAML tells 123 and true apart from words, a kubeconfig does not mean to.
std::string text_of(const Value& map, std::string_view key) {
  const auto* value = map.find(key);
  if (value == nullptr) return {};
  if (const auto* text = value->as<std::string>()) return *text;
  if (value->as<std::int64_t>() != nullptr || value->as<bool>() != nullptr) return value->shown();
  return {};
}

bool flag_of(const Value& map, std::string_view key) {
  const auto* value = map.find(key);
  const auto* flag = value != nullptr ? value->as<bool>() : nullptr;
  return flag != nullptr && *flag;
}

/// The member `what` of the item called `name` in one of the three lists: {name: ..., cluster: {...}}.
Result<const Value*> named(const Value& config, std::string_view list, std::string_view what, std::string_view name) {
  const auto* items = config.find(list);
  const auto* all = items != nullptr ? items->as<Value::List>() : nullptr;
  if (all != nullptr) {
    for (const auto& item : *all) {
      if (text_of(item, "name") != name) continue;
      const auto* found = item.find(what);
      if (found == nullptr || found->as<Value::Map>() == nullptr) break;
      return found;
    }
  }
  return Error(Reason::ConfigInvalid, fmt::format("kubeconfig: there is no {} \"{}\"", what, name));
}

Result<std::string> decode_base64(std::string_view what, std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  const Error bad(Reason::ConfigInvalid, fmt::format("kubeconfig: {} is not base64", what));
  if (text.empty() || text.size() % 4 != 0) return bad;
  std::string out(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return bad;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(n) - padding);
  return out;
}

/// The pair KEY and KEY-data; the data wins, as in client-go.
Result<Pem> pem_of(const Value& map, const std::string& key, const std::filesystem::path& folder) {
  Pem pem;
  if (auto data = text_of(map, key + "-data"); !data.empty()) {
    DS_ASSIGN(auto text, decode_base64(key + "-data", std::move(data)));
    pem.data = base::Secret(std::move(text));
  } else if (auto file = text_of(map, key); !file.empty()) {
    pem.file = folder / file;  // an absolute path replaces the folder
  }
  return pem;
}

Result<ExecPlugin> exec_of(const Value& map, const std::filesystem::path& folder) {
  ExecPlugin plugin;
  plugin.api_version = text_of(map, "apiVersion");
  plugin.command = text_of(map, "command");
  plugin.install_hint = text_of(map, "installHint");
  plugin.provide_cluster_info = flag_of(map, "provideClusterInfo");
  const auto mode = text_of(map, "interactiveMode");
  plugin.interactive = mode != "Never";
  if (plugin.command.empty()) return Error(Reason::ConfigInvalid, "kubeconfig: exec has no command");
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return Error(Reason::ConfigInvalid,
                 fmt::format("kubeconfig: exec has the apiVersion \"{}\", which is not known", plugin.api_version));
  }
  // A command with a slash is meant from the kubeconfig's folder, one without is looked up in PATH.
  if (plugin.command.find('/') != std::string::npos) plugin.command = (folder / plugin.command).string();
  if (const auto* args = map.find("args"); args != nullptr && args->as<Value::List>() != nullptr) {
    for (const auto& arg : *args->as<Value::List>()) {
      plugin.args.push_back(arg.as<std::string>() != nullptr ? *arg.as<std::string>() : arg.shown());
    }
  }
  if (const auto* env = map.find("env"); env != nullptr && env->as<Value::List>() != nullptr) {
    for (const auto& item : *env->as<Value::List>()) plugin.env[text_of(item, "name")] = text_of(item, "value");
  }
  return plugin;
}

Result<void> refuse(const Value& map, std::string_view what, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (map.find(key) != nullptr) {
      return Error(Reason::ConfigInvalid, fmt::format("kubeconfig: {} of the {} is not supported", key, what));
    }
  }
  return {};
}

Result<void> read_user(const Value& user, const std::filesystem::path& folder, Access& access) {
  DS_TRY(refuse(user, "user", {"username", "password", "auth-provider", "as", "as-groups", "as-uid"}));
  DS_ASSIGN(access.certificate, pem_of(user, "client-certificate", folder));
  DS_ASSIGN(access.key, pem_of(user, "client-key", folder));
  if (access.certificate.empty() != access.key.empty()) {
    return Error(Reason::ConfigInvalid, "kubeconfig: client-certificate and client-key must be set together");
  }
  access.token = base::Secret(text_of(user, "token"));
  if (auto file = text_of(user, "tokenFile"); !file.empty()) access.token_file = folder / file;
  if (const auto* exec = user.find("exec"); exec != nullptr) {
    DS_ASSIGN(access.exec, exec_of(*exec, folder));
  }
  return {};
}

}  // namespace

Result<Access> parse_kubeconfig(std::string_view text, const std::filesystem::path& folder, std::string_view context) {
  // The reader's problems (a key twice, a bare yes) are about what a person meant; kubectl takes such files.
  DS_ASSIGN(const auto documents, api::parse_yaml(text));
  if (documents.empty()) return Error(Reason::ConfigInvalid, "kubeconfig: the file is empty");
  const auto& config = documents.front().value;

  const auto name = context.empty() ? text_of(config, "current-context") : std::string(context);
  if (name.empty()) return Error(Reason::ConfigInvalid, "kubeconfig: no current-context; set one");
  DS_ASSIGN(const auto* chosen, named(config, "contexts", "context", name));
  DS_ASSIGN(const auto* cluster, named(config, "clusters", "cluster", text_of(*chosen, "cluster")));

  Access access;
  access.server = text_of(*cluster, "server");
  while (access.server.ends_with('/')) access.server.pop_back();
  if (!access.server.starts_with("https://") && !access.server.starts_with("http://")) {
    return Error(Reason::ConfigInvalid, fmt::format("kubeconfig: the server \"{}\" is not a URL", access.server));
  }
  DS_TRY(refuse(*cluster, "cluster", {"tls-server-name", "proxy-url"}));
  DS_ASSIGN(access.authority, pem_of(*cluster, "certificate-authority", folder));
  access.skip_verify = flag_of(*cluster, "insecure-skip-tls-verify");
  if (auto ns = text_of(*chosen, "namespace"); !ns.empty()) access.ns = ns;
  if (const auto user_name = text_of(*chosen, "user"); !user_name.empty()) {
    DS_ASSIGN(const auto* user, named(config, "users", "user", user_name));
    DS_TRY(read_user(*user, folder, access));
  }
  return access;
}

}  // namespace datasync::kube
