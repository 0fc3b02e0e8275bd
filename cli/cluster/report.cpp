#include "cli/cluster/report.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "cli/cluster/cluster.hpp"
#include "operator/api/to_yaml.hpp"

namespace datasync::cli {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRemoved = "<removed>";

bool sounds_secret(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view kWords[] = {"password",   "passwd",      "passphrase", "token",  "credential",
                                         "privatekey", "private_key", "apikey",     "api_key"};
  return std::ranges::any_of(kWords, [&](auto w) { return lower.find(w) != lower.npos; });
}

// References to a secret by name are kept: they show which one is missing. passwordKey is one, privateKey is not.
bool is_reference(std::string_view key) {
  constexpr std::string_view kKey = "Key";
  return key.ends_with("Name") || key.starts_with("automount") ||
         (key.ends_with(kKey) && sounds_secret(key.substr(0, key.size() - kKey.size())));
}

/// What the operator itself writes into a command, and the names of flags.
bool is_harmless(const std::string& word) {
  constexpr std::string_view kOurs[] = {"datasync",          "datasync-capture", "datasync-apply",
                                        "datasync-operator", "datasync-agent",   "cleanup"};
  return std::ranges::find(kOurs, word) != std::end(kOurs) || word.starts_with("/etc/datasync/") ||
         (word.starts_with("--") && word.find('=') == std::string::npos);
}

/// The words of a command may hold a password in any form (--password=x, -px, sh -c "mariadb -px"): of those that are
/// not known to be harmless the names of flags are kept.
void redact_words(Json& words, std::size_t from) {
  for (auto i = from; i < words.size(); ++i) {
    if (!words[i].is_string()) continue;
    const auto word = words[i].get<std::string>();
    const auto equals = word.find('=');
    if (is_harmless(word)) continue;
    words[i] = word.starts_with("--") && equals != std::string::npos
                   ? word.substr(0, equals + 1) + std::string(kRemoved)
                   : std::string(kRemoved);
  }
}

/// user:password@ of every address in the text.
void redact_addresses(std::string& text) {
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const auto begin = at + 3;
    const auto user = text.rfind('@', text.find_first_of("/?# \t\n\"'", begin));
    if (user != std::string::npos && user >= begin) text.replace(begin, user - begin, kRemoved);
  }
}

void redact(Json& v) {
  if (v.is_string()) {
    redact_addresses(v.get_ref<std::string&>());
    return;
  }
  if (v.is_array()) {
    for (auto& item : v) redact(item);
    return;
  }
  if (!v.is_object()) return;
  for (auto& [key, member] : v.items()) {
    const bool of_env = key == "value" && v.contains("name");
    const bool secret = of_env || (sounds_secret(key) && !is_reference(key));
    if (member.is_array() && (key == "args" || key == "command")) redact_words(member, key == "command" ? 1 : 0);
    if (secret && !member.is_structured()) {
      member = kRemoved;
    } else {
      redact(member);
    }
  }
}

std::string yaml(const Json& objects) {
  std::string out;
  for (const auto& o : objects) out += (out.empty() ? "" : "---\n") + api::to_yaml(redacted(o));
  return out;
}

}  // namespace

nlohmann::json redacted(nlohmann::json object) {
  if (object.is_object() && object.contains("metadata") && object["metadata"].is_object()) {
    auto& meta = object["metadata"];
    meta.erase("managedFields");
    if (meta.contains("annotations") && meta["annotations"].is_object()) {
      meta["annotations"].erase("kubectl.kubernetes.io/last-applied-configuration");
    }
  }
  if (object.is_object() && object.value("kind", Json()) == "Secret") {
    object.erase("data");
    object.erase("stringData");
  }
  redact(object);
  return object;
}

std::map<std::string, std::string> report_files(kube::Api& api, const kube::ObjectKey& key) {
  std::map<std::string, std::string> files;
  std::string missing;
  const auto put = [&](const std::string& name, const kube::ApiResult<std::vector<Json>>& objects) {
    if (!objects) {
      missing += fmt::format("{}: {}\n", name, objects.error().message);
    } else if (!objects->empty()) {
      files[name] = yaml(*objects);
    }
  };
  const auto listed = [&](const kube::Resource& kind) -> kube::ApiResult<std::vector<Json>> {
    auto list = api.list(kind, {key.ns, std::string(kNameLabelIs) + key.name, {}});
    if (!list) return tl::make_unexpected(list.error());
    return std::move(list->items);
  };
  const auto one = [&](const kube::Resource& kind, const kube::ObjectKey& k) -> kube::ApiResult<std::vector<Json>> {
    auto object = api.get(kind, k);
    if (!object) return tl::make_unexpected(object.error());
    return std::vector<Json>{std::move(*object)};
  };
  put("resource.yaml", one(kube::kDataSyncs, key));
  put("definition.yaml", one({"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"},
                             {"", "datasyncs.datasync.dev"}));
  put("deployments.yaml", listed(kube::kDeployments));
  put("configmaps.yaml", listed(kube::kConfigMaps));
  put("serviceaccounts.yaml", listed(kube::kServiceAccounts));
  put("jobs.yaml", listed(kube::kJobs));
  const auto pods = pods_of(api, key);
  put("pods.yaml", pods);
  put("events.yaml", events_of(api, key, pods.value_or(std::vector<Json>{})));
  if (!missing.empty()) files["could-not-be-read.txt"] = missing;
  return files;
}

}  // namespace datasync::cli
