#pragma once
// The commands of `kubectl datasync` that speak with an API server. Each takes what it speaks with, so that tests give
// them an Api of their own.

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/cluster/status_text.hpp"
#include "operator/kube/api.hpp"

namespace datasync::cli {

/// Selects the objects of one resource: this and its name.
inline constexpr std::string_view kNameLabelIs = "datasync.dev/name=";

kube::ApiResult<std::vector<nlohmann::json>> pods_of(kube::Api& api, const kube::ObjectKey& key);
/// About the resource and these pods.
kube::ApiResult<std::vector<nlohmann::json>> events_of(kube::Api& api, const kube::ObjectKey& key,
                                                       const std::vector<nlohmann::json>& pods);
/// What may not be read (pods, events: RBAC) is left out.
kube::ApiResult<StatusInput> gather(kube::Api& api, const kube::ObjectKey& key);

struct StatusOptions {
  std::string output;  ///< empty: text; json, yaml
  bool watch = false;  ///< again every two seconds until `stop`
  bool color = false;
};
/// Each returns the exit code: 0, or 1 with the server's words on `err`.
int status(kube::Api& api, const kube::ObjectKey& key, const StatusOptions& options, std::ostream& out,
           std::ostream& err, std::stop_token stop);
int pause(kube::Api& api, const kube::ObjectKey& key, bool paused, std::ostream& out, std::ostream& err);
/// The annotation datasync.dev/restart gets the time.
int restart(kube::Api& api, const kube::ObjectKey& key, base::WallTime now, std::ostream& out, std::ostream& err);
/// Writes the bundle as a tar archive of mode 0600; `log_of` gives the log of a pod.
int report(kube::Api& api, const kube::ObjectKey& key, const std::filesystem::path& file, base::WallTime now,
           const std::function<std::string(const kube::ObjectKey& pod)>& log_of, std::ostream& out, std::ostream& err);
/// The resources of a namespace; none when they cannot be read.
std::vector<std::string> names(kube::Api& api, const std::string& ns);

}  // namespace datasync::cli
